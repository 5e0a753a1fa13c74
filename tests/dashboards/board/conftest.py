"""A simulated town, the board that shows it, and a browser that reaches nothing else."""

import asyncio
import dataclasses
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from connectors.simulator.state import Simulation
from dashboards.board.server import Parts, application
from dashboards.reading.boards import Board, board
from dashboards.reading.metrics import Metrics
from deploy.local.network import LOOPBACK, free_ports
from pipeline.cli.board import plotly
from pipeline.store import shown
from pipeline.store.boards_reading import BoardReader
from pipeline.store.drift_incidents import incidents, write_incidents
from tests.dashboards.board.fixture import fixture
from tests.dashboards.towns import Town, history, minute, town
from tests.programs import program

FIXTURES = {f"contactmeter-fixture-{language}": fixture(language) for language in ("nl", "en")}


def find(uid: str) -> Board:
    """A generated board, or the fixture."""
    return FIXTURES[uid] if uid in FIXTURES else board(uid)


@pytest.fixture(scope="package")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Ten weeks of a town whose telephone drifts, with an incident that waits for somebody."""
    now = minute()
    with town(tmp_path_factory.mktemp("town"), now) as found, closing(found.owner.open()) as client:
        found.take(history(Simulation(now, weeks=10, scale=0.3)), now)
        found.look(now)
        asking = [dataclasses.replace(one, pages=True, asks_since=now) for one in incidents(client, found.name) if one.worse]
        assert asking, "the drift that is planted is found"
        write_incidents(client, asking, now + 1)
        shown.refresh_all(client, found.organisation, now)
        yield found


@dataclass
class Served:
    """The board of a town at `url`; `seen` is what it was told of incidents. `stop` ends it."""

    town: Town
    port: int
    seen: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="board", daemon=True)
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def _start(self) -> web.AppRunner:
        parts = Parts(
            BoardReader(self.town.board),
            Metrics("", f"http://{LOOPBACK}:{free_ports(1)[0]}/metrics"),
            lambda *said: self.seen.append(said),
            plotly(),
            frozenset({f"{LOOPBACK}:{self.port}"}),
            find,
            ThreadPoolExecutor(4),
        )
        runner = web.AppRunner(application(parts), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, self.port).start()
        return runner

    def stop(self) -> None:
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()


@contextmanager
def serving(measured: Town) -> Iterator[Served]:
    """A board on a free port, ended afterwards."""
    served = Served(measured, free_ports(1)[0])
    try:
        yield served
    finally:
        served.stop()


@pytest.fixture(scope="package")
def served(measured: Town) -> Iterator[Served]:
    """One board for all tests that do not end it."""
    with serving(measured) as found:
        yield found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium without a window, as Debian packages it."""
    path = program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield found
        finally:
            found.close()


@dataclass
class Reader:
    """A page, what went wrong on it, and what it asked of other machines."""

    page: Page
    served: Served
    problems: list[str]
    abroad: list[str]

    def open(self, uid: str, **query: str) -> None:
        """Open a board, and wait until every panel has answered."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        self.page.goto(f"{self.served.url}/d/{uid}?{asked}")
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector("#panels[data-at]", timeout=30_000)

    def panel(self, title: str) -> str:
        """A selector of a panel by its title."""
        return f"section.panel:has(h3:text-is('{title}'))"


@contextmanager
def reading(browser: Browser, served: Served, width: int = 1400, height: int = 900, dark: bool = False) -> Iterator[Reader]:
    """A reader with a window of a size. Requests to anywhere else are stopped and noted."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", service_workers="block"
    )
    page = context.new_page()
    reader = Reader(page, served, [], [])

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            reader.problems.append(f"{message.text} ({message.location.get('url')})")

    def other(request: Request) -> None:
        if not request.url.startswith((served.url, "data:")):
            reader.abroad.append(request.url)

    page.on("console", note)
    page.on("pageerror", lambda error: reader.problems.append(str(error)))
    page.on("request", other)
    context.route(lambda url: not url.startswith(served.url), lambda route: route.abort())
    try:
        yield reader
    finally:
        context.close()


@pytest.fixture
def reader(browser: Browser, served: Served) -> Iterator[Reader]:
    """A reader at a desk, whom nothing may go wrong for."""
    with reading(browser, served) as found:
        yield found
