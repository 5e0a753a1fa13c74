"""The local board over HTTP: pages, their static files, answers as JSON, and the one thing a reader may say, that an incident is seen.

Whoever may open the page sees what its ClickHouse user sees: it listens on loopback, and answers to its own names only (a page elsewhere
can't reach it by pointing a name of its own here). A POST must come from a page of ours: of our origin, as JSON, with a header that no form
can send.
"""

import asyncio
import html
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path

from aiohttp import web

from dashboards.board.answering import LONGEST_VALUE, Asked, choices, frames
from dashboards.board.firing import Firing
from dashboards.board.metrics import Metrics
from dashboards.reading.boards import Board, board, boards
from dashboards.reading.macros import MacroError
from dashboards.reading.times import span_of
from dashboards.words import LANGUAGES, Text
from pipeline.store.boards_reading import BoardReader, Column, Refused
from pipeline.store.client import Unavailable
from schemas.errors import ContactmeterError
from schemas.words import Language

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
FIRST = "contactmeter-now-nl"
AT_ONCE = 4
"""Statements that run at the same time, for all readers together."""
STATIC = files("dashboards.board") / "static"
HEADERS = {
    # Plotly sets style attributes and makes style elements; everything else is our own file or does not load.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

Acknowledge = Callable[[str, str, str], None]
"""Tells that an incident is seen: organisation, incident, who. Raises ContactmeterError."""


@dataclass(frozen=True)
class Parts:
    """What the composition root puts in. `plotly`: the folder with plotly.min.js. `names`: the hosts it answers to, with their port.
    `board`: finds a board by its uid, or raises KeyError.
    """

    reader: BoardReader
    metrics: Metrics
    acknowledge: Acknowledge
    plotly: Path
    names: frozenset[str]
    board: Callable[[str], Board] = board
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "board"))

    async def ask(self, sql: str) -> list[Column]:
        """The answer of the views, without holding up the others."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, self.reader.ask, sql)


PARTS = web.AppKey("parts", Parts)
FIRING = web.AppKey("firing", Firing)


def application(parts: Parts) -> web.Application:
    """The application; it closes the reader when it ends."""
    app = web.Application(middlewares=[_guarded])
    app[PARTS], app[FIRING] = parts, Firing(parts.ask, parts.metrics)
    app.on_cleanup.append(_close)
    app.cleanup_ctx.append(parts.metrics.running)
    app.cleanup_ctx.append(app[FIRING].running)
    app.router.add_get("/", _first)
    app.router.add_get("/health", _health)
    app.router.add_get("/d/{uid}", _page)
    app.router.add_get("/d/{uid}/{slug}", _page)
    app.router.add_get("/api/boards/{uid}", _board)
    app.router.add_get("/api/boards/{uid}/panels/{panel:\\d{1,4}}", _panel)
    app.router.add_get("/api/alerts", _alerts)
    app.router.add_post("/api/incidents/{organisation}/{incident}/seen", _seen)
    app.router.add_get("/plotly.min.js", _plotly)
    app.router.add_get("/static/{name:[a-z]+\\.(?:js|css)}", _static)
    return app


async def _close(app: web.Application) -> None:
    app[PARTS].pool.shutdown()
    app[PARTS].reader.close()


@web.middleware
async def _guarded(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Only for our own names and pages; every failure is words that say what to do; every answer has the headers."""
    own = request.headers.get("Origin", "").partition("://")[2] == request.host and request.headers.get("X-Contactmeter") == "board"
    try:
        if request.host not in request.app[PARTS].names:
            response: web.StreamResponse = web.Response(status=421, text="This board answers to its own address only.\n")
        elif request.method not in ("GET", "HEAD") and not (own and request.content_type == "application/json"):
            response = web.Response(status=403, text="Only a page of this board may ask this.\n")
        else:
            response = await handler(request)
    except web.HTTPException as error:
        response = error
    except Exception as error:  # noqa: BLE001 - the reader gets words, the log the cause
        response = _problem(error, request)
    response.headers.update(HEADERS)
    if isinstance(response, web.HTTPException):
        raise response
    return response


def _problem(error: Exception, request: web.Request) -> web.Response:
    """What went wrong and what to do, in the language of the page that asked."""
    match error:
        case Refused():
            status, text = 422, Text(f"ClickHouse weigert deze vraag: {error}", f"ClickHouse refuses this question: {error}")
        case Unavailable():
            status, text = (
                503,
                Text(
                    f"ClickHouse antwoordt niet; het wordt vanzelf weer gevraagd, en `contactmeter status` zegt wat er draait ({error})",
                    f"ClickHouse does not answer; it is asked again by itself, and `contactmeter status` says what runs ({error})",
                ),
            )
        case ContactmeterError() | MacroError() | ValueError():
            status, text = 422, Text(str(error), str(error))
        case KeyError():
            status, text = 404, Text("Er is geen bord of paneel met die naam.", "There is no board or panel of that name.")
        case _:
            log.error("%s %s", request.method, request.path, exc_info=error)
            status, text = (
                500,
                Text(
                    "Dit mislukte door een fout van ons; `contactmeter logs board` zegt welke.",
                    "This failed by a mistake of ours; `contactmeter logs board` says which.",
                ),
            )
    return web.json_response({"problem": text.of(_language(request))}, status=status)


def _language(request: web.Request) -> Language:
    return "en" if request.match_info.get("uid", "").endswith("-en") or request.query.get("language") == "en" else "nl"


async def _first(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/d/{FIRST}")


async def _health(_: web.Request) -> web.StreamResponse:
    return web.Response(text="contactmeter board\n")


async def _page(request: web.Request) -> web.StreamResponse:
    shown = request.app[PARTS].board(request.match_info["uid"])
    template = (STATIC / "page.html").read_text(encoding="utf-8")
    title, about = html.escape(shown.title), html.escape(shown.description)
    skip = "Naar het bord" if shown.language == "nl" else "To the board"
    text = template.replace("{language}", shown.language).replace("{title}", title).replace("{about}", about).replace("{skip}", skip)
    return web.Response(text=text, content_type="text/html")


async def _board(request: web.Request) -> web.StreamResponse:
    """The board as its file has it but for the questions, its variables with their options, and the other boards."""
    parts = request.app[PARTS]
    shown = parts.board(request.match_info["uid"])
    span = span_of(*_span(request, shown), _now_ms(), shown.zone)
    panels = [{key: value for key, value in one.items() if key != "targets"} for one in shown.content["panels"]]
    return web.json_response(
        {
            **{name: shown.content.get(name) for name in ("uid", "title", "description", "refresh", "time")},
            "name": shown.name,
            "zone": shown.zone,
            "span": [span.from_ms, span.to_ms],
            "panels": panels,
            "variables": await choices(shown, _variables(request), span, parts.ask),
            "boards": [{"uid": one.uid, "title": one.title} for one in boards(shown.language).values()],
            "others": [f"contactmeter-{shown.name}-{language}" for language in LANGUAGES if language != shown.language],
        }
    )


async def _panel(request: web.Request) -> web.StreamResponse:
    parts = request.app[PARTS]
    shown = parts.board(request.match_info["uid"])
    span = span_of(*_span(request, shown), _now_ms(), shown.zone)
    points = min(max(int(request.query.get("points", "200")), 10), 1000)
    known = {variable.name: variable.value for variable in shown.variables}
    asked = Asked(span, points, known | {name: value for name, value in _variables(request).items() if name in known})
    found = await frames(shown.panel(int(request.match_info["panel"])), asked, parts.ask, parts.metrics.ask)
    return web.json_response({"frames": found, "span": [span.from_ms, span.to_ms]})


async def _alerts(request: web.Request) -> web.StreamResponse:
    """What fires now for an organisation."""
    return web.json_response(request.app[FIRING].of(request.query.get("organisation", "")[:LONGEST_VALUE], _language(request)))


async def _seen(request: web.Request) -> web.StreamResponse:
    said = await request.json()
    who = str(said.get("who", "") if isinstance(said, Mapping) else "").strip()[:80]
    if not who:
        raise ContactmeterError(
            Text("Zeg wie u bent: de anderen zien wie ernaar kijkt.", "Say who you are: the others see who looks at it.").of(
                _language(request)
            )
        )
    organisation, incident = request.match_info["organisation"], request.match_info["incident"]
    if not any(one["incident"] == incident for one in request.app[FIRING].of(organisation, "nl")["alerts"]):
        raise ContactmeterError(
            Text(f"Incident {incident} wacht op niemand.", f"Incident {incident} waits for nobody.").of(_language(request))
        )
    acknowledge = partial(request.app[PARTS].acknowledge, organisation, incident, who)
    await asyncio.get_running_loop().run_in_executor(None, acknowledge)
    return web.json_response({"incident": incident, "who": who})


async def _plotly(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(request.app[PARTS].plotly / "plotly.min.js")


async def _static(request: web.Request) -> web.StreamResponse:
    with as_file(STATIC / request.match_info["name"]) as path:
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path)


def _span(request: web.Request, shown: Board) -> tuple[str, str]:
    return request.query.get("from") or shown.begin, request.query.get("to") or shown.end


def _variables(request: web.Request) -> dict[str, str]:
    return {name[4:]: value[:LONGEST_VALUE] for name, value in request.query.items() if name.startswith("var-")}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
