"""What drifts in the demo: the changes that it plants, and the incidents above its figures."""

import textwrap
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from rich.text import Text

from connectors.simulator.town import day_of, working_day_before
from pipeline.cli.incident import lines_of
from pipeline.drift.incidents import Incident

CHANGE = ("telephone@Burgerzaken:wait:x5", 3, "11:00")
"""Since so many working days: long enough to be found when the demo opens early on a Monday, after a short Friday."""
OUTAGE = ("counter:outage", 6, "09:00", "12:00")
"""So many working days ago, over."""
MOST_INCIDENTS = 2
MOST_LINES = 3
"""Lines that the sentences of one incident may take."""


def plants(history_end_ms: int) -> list[str]:
    """What is planted before history ends: waits of one team that stay long, and an outage of the counter that is over."""
    today = day_of(history_end_ms)
    change, since, at = CHANGE
    outage, ago, start, end = OUTAGE
    day = working_day_before(today, ago)
    return [f"{change}:{working_day_before(today, since)}T{at}", f"{outage}:{day}T{start}..{day}T{end}"]


def incident_lines(incidents: Sequence[Incident], organisation: str, zone: ZoneInfo, width: int) -> Iterator[Text]:
    """What is open, the worst and newest first, each with what can be done about it, in lines of at most `width` columns."""
    known = [one for one in incidents if one.state != "merged"]
    going = sorted((one for one in known if one.state == "open"), key=lambda one: (one.worse, one.opened_at), reverse=True)
    for one in going[:MOST_INCIDENTS]:
        heading, said = lines_of(one, "en", zone)
        style = "bold red" if one.worse else "bold green"
        yield Text(f"incident {heading}", style=style, no_wrap=True, overflow="ellipsis")
        for line in textwrap.wrap(said.strip(), width - 2, max_lines=MOST_LINES, placeholder=" …"):
            yield Text(f"  {line}", no_wrap=True, overflow="ellipsis")
        if one.worse and one.acknowledged_at is None:
            yield Text(f"  take note: contactmeter incident acknowledge {organisation} {one.incident}", no_wrap=True, overflow="ellipsis")
    if known:
        more, over = len(going[MOST_INCIDENTS:]), len(known) - len(going)
        parts = [f"{more} more open" if more else "" if going else "no incident is open", f"{over} over" if over else ""]
        if any(parts):
            told = ", ".join(filter(None, parts))
            yield Text(f"{told}: contactmeter incident list {organisation} --all", style="dim", no_wrap=True, overflow="ellipsis")
