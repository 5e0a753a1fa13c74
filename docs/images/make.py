"""Make docs/images/figures.svg anew from the figures of a running stack: `python docs/images/make.py` while `contactmeter demo` runs."""

import io
import re
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from pipeline.cli import endpoints
from pipeline.cli.demo import ORGANISATION
from pipeline.cli.demo_drift import incident_lines
from pipeline.cli.figures import heading_of
from pipeline.cli.overview import overview
from pipeline.report import rolling_lines
from pipeline.store.drift_incidents import incidents
from pipeline.store.reads import Views

PICTURE = Path(__file__).with_name("figures.svg")
WIDTH = 120


def figures() -> str:
    """The incidents and the table of `contactmeter demo` as SVG, at the last event of the simulated municipality. Raises Unavailable."""
    views = Views(endpoints.connection(endpoints.settings()))
    try:
        settings, moment = views.organisations()[ORGANISATION], views.last_event(ORGANISATION)
        if moment is None:
            raise SystemExit(f"{ORGANISATION} has no events yet; start `contactmeter demo` and wait for its first figures")
        targets = views.targets(ORGANISATION, moment.date())
        lines = rolling_lines(views.rolling_at(ORGANISATION, moment), targets, int(settings["minimum_n"]))
    finally:
        views.close()
    with closing(endpoints.connection(endpoints.settings()).open()) as client:
        told = list(incident_lines(incidents(client, ORGANISATION), ORGANISATION, ZoneInfo(str(settings["zone"])), WIDTH))
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(*told, sep="\n")
    console.print(overview(heading_of(ORGANISATION, settings, moment), lines, brief=True, width=WIDTH))
    picture = console.export_svg(title="contactmeter demo", unique_id="figures")
    # A picture that fetches a font from elsewhere tells that elsewhere who looks at it; the reader's own monospace font will do.
    return re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(figures(), encoding="utf-8")
    print(f"wrote {PICTURE}")
