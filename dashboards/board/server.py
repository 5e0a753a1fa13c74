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
from pathlib import Path

from aiohttp import web

from dashboards.alerts.firing import Firing
from dashboards.reading.answering import Asked, choices, frames
from dashboards.reading.boards import Board, board, boards
from dashboards.reading.macros import MacroError
from dashboards.reading.metrics import Metrics
from dashboards.reading.times import span_of
from dashboards.words import Text
from pipeline.store.boards_reading import BoardReader, Column, Refused
from pipeline.store.client import Unavailable
from schemas.errors import ContactmeterError
from schemas.words import Language

log = logging.getLogger(__name__)

ORDER = ("now", "channel", "norms", "satisfaction", "busyness", "signals", "quarter", "data", "pipeline")
LONGEST_VALUE = 200
AT_ONCE = 4
"""Statements that run at the same time, for all readers together."""
HERE = Path(__file__).parent
PUBLIC = HERE.parent / "generated" / "public"
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


@dataclass(frozen=True)
class Parts:
    """What the composition root puts in. `acknowledge`: tells that an incident is seen (organisation, incident, who), or raises
    ContactmeterError. `plotly`: plotly.min.js. `names`: the hosts it answers to, with their port. `board`: finds one, or raises KeyError.
    """

    reader: BoardReader
    metrics: Metrics
    acknowledge: Callable[[str, str, str], None]
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

    async def close(_: web.Application) -> None:
        parts.pool.shutdown()
        parts.reader.close()

    app = web.Application(middlewares=[_guarded])
    app[PARTS], app[FIRING] = parts, Firing(parts.ask, parts.metrics)
    app.on_cleanup.append(close)
    app.cleanup_ctx.extend((parts.metrics.running, app[FIRING].running))
    app.add_routes(
        [
            web.get("/", _first),
            web.get("/health", _health),
            web.get("/d/{uid}", _page),
            web.get("/api/boards/{uid}", _board),
            web.get("/api/boards/{uid}/panels/{panel:\\d{1,4}}", _panel),
            web.get("/api/alerts", _alerts),
            web.post("/api/incidents/{organisation}/{incident}/seen", _seen),
            web.get("/plotly.min.js", _plotly),
            web.static("/static", HERE / "static"),
            web.static("/public/contactmeter", PUBLIC),  # where Grafana serves the runbook too
        ]
    )
    return app


@web.middleware
async def _guarded(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Only for our own names and pages; every failure is words that say what to do; every answer has the headers."""
    own = request.headers.get("Origin", "").partition("://")[2] == request.host and request.headers.get("X-Contactmeter") == "board"
    response: web.StreamResponse
    try:
        if request.host not in request.app[PARTS].names:
            response = web.Response(status=421, text="This board answers to its own address only.\n")
        elif request.method not in ("GET", "HEAD") and not (own and request.content_type == "application/json"):
            response = web.Response(status=403, text="Only a page of this board may ask this.\n")
        else:
            response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    except Exception as error:  # the reader gets words, the log the cause
        status, text = _problem(error)
        if status == 500:
            log.exception("%s %s", request.method, request.path)
        response = web.json_response({"problem": text.of(_language(request))}, status=status)
    response.headers.update(HEADERS)
    return response


def _problem(error: Exception) -> tuple[int, Text]:
    """What went wrong and what to do."""
    match error:
        case Refused():
            return 422, Text(f"ClickHouse weigert deze vraag: {error}", f"ClickHouse refuses this question: {error}")
        case Unavailable():
            return 503, Text(
                f"ClickHouse antwoordt niet; het wordt vanzelf weer gevraagd, en `contactmeter status` zegt wat er draait ({error})",
                f"ClickHouse does not answer; it is asked again by itself, and `contactmeter status` says what runs ({error})",
            )
        case ContactmeterError() | MacroError() | ValueError():
            return 422, Text(str(error), str(error))
        case KeyError():
            return 404, Text("Er is geen bord of paneel met die naam.", "There is no board or panel of that name.")
    return 500, Text(
        "Dit mislukte door een fout van ons; `contactmeter logs board` zegt welke.",
        "This failed by a mistake of ours; `contactmeter logs board` says which.",
    )


def _language(request: web.Request) -> Language:
    return "en" if request.match_info.get("uid", "").endswith("-en") or request.query.get("language") == "en" else "nl"


async def _first(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/d/contactmeter-now-nl")


async def _health(_: web.Request) -> web.StreamResponse:
    return web.Response(text="contactmeter board\n")


async def _plotly(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(request.app[PARTS].plotly)


async def _page(request: web.Request) -> web.StreamResponse:
    shown = request.app[PARTS].board(request.match_info["uid"])
    text = (HERE / "page.html").read_text(encoding="utf-8")
    for name in ("language", "title"):
        text = text.replace(f"{{{name}}}", html.escape(getattr(shown, name)))
    return web.Response(text=text, content_type="text/html")


async def _board(request: web.Request) -> web.StreamResponse:
    """The board as its file has it but for the questions, its variables with their options, and the other boards."""
    shown, asked = _asked(request)
    panels = [{key: value for key, value in one.items() if key != "targets"} for one in shown.content["panels"]]
    all_boards = sorted(boards(shown.language).values(), key=lambda one: ORDER.index(one.name))
    return web.json_response(
        {
            **{name: shown.content[name] for name in ("title", "refresh", "time")},
            "zone": shown.zone,
            "span": [asked.span.from_ms, asked.span.to_ms],
            "panels": panels,
            "variables": await choices(shown, asked, request.app[PARTS].ask),
            "boards": [{"uid": one.uid, "title": one.title} for one in all_boards],
            "other": f"contactmeter-{shown.name}-{'en' if shown.language == 'nl' else 'nl'}",
        }
    )


async def _panel(request: web.Request) -> web.StreamResponse:
    shown, asked = _asked(request)
    parts = request.app[PARTS]
    found = await frames(shown.panel(int(request.match_info["panel"])), asked, parts.ask, parts.metrics.ask)
    return web.json_response({"frames": found, "span": [asked.span.from_ms, asked.span.to_ms]})


def _asked(request: web.Request) -> tuple[Board, Asked]:
    """The board that is meant, and what the reader chose: a value a variable of it, never SQL."""
    shown, query = request.app[PARTS].board(request.match_info["uid"]), request.query
    span = span_of(query.get("from") or shown.begin, query.get("to") or shown.end, time.time_ns() // 1_000_000, shown.zone)
    points = min(max(int(query.get("points", "200")), 10), 1000)
    return shown, Asked(span, points, {one.name: query.get(f"var-{one.name}", one.value)[:LONGEST_VALUE] for one in shown.variables})


async def _alerts(request: web.Request) -> web.StreamResponse:
    return web.json_response(request.app[FIRING].of(request.query.get("organisation", ""), _language(request)))


async def _seen(request: web.Request) -> web.StreamResponse:
    said, language = await request.json(), _language(request)
    organisation, incident = request.match_info["organisation"], request.match_info["incident"]
    who = str(said.get("who", "") if isinstance(said, Mapping) else "").strip()[:80]
    if not who:
        raise ContactmeterError(
            Text("Zeg wie u bent: de anderen zien wie ernaar kijkt.", "Say who you are: the others see it.").of(language)
        )
    if not any(one["incident"] == incident for one in request.app[FIRING].of(organisation, language)["alerts"]):
        raise ContactmeterError(Text(f"Incident {incident} wacht op niemand.", f"Incident {incident} waits for nobody.").of(language))
    await asyncio.get_running_loop().run_in_executor(None, request.app[PARTS].acknowledge, organisation, incident, who)
    return web.json_response({"incident": incident, "who": who})
