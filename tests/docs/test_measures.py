"""The worked examples of docs/MEASURES.md, computed by the product."""

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from pipeline.answers import Answer, measure_of, thousandths
from pipeline.assignment import Assignment
from pipeline.configured import Configured
from pipeline.contacts import EventTuple, digest
from pipeline.contributions import Contribution, of_answer, of_contact
from pipeline.decode import ContactKey, Decoded, Record
from pipeline.known import Known
from pipeline.norms import Outcome
from pipeline.report import quarter_lines
from pipeline.roles import role_of
from pipeline.rolling import WINDOWS, Figure, Sums, attainment, figure, minute_of
from pipeline.rows import judged_of
from pipeline.store.client import Connection
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from pipeline.store.reads import Views
from pipeline.timeline import Timeline
from schemas import yamlfile
from schemas.organisation import Organisation
from schemas.types import epoch_ms
from tests.docs.pages import MEASURES as PAGE
from tests.docs.pages import blocks_of, examples
from tests.engines import ClickHouseEngine

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CHANNEL = "telephone"
SOURCE = "urn:nld:oin:00000000000000000000:systeem:docs"
SLUG = "docs-example"
MINIMUM_N = 20


def instant(text: str) -> int:
    """Epoch milliseconds of local time in Amsterdam."""
    return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM))


def text_of(example: Mapping[str, Any]) -> str:
    """The organisation of an example: its norm, and else as little as a file may hold."""
    norm = {"id": "example", "title": {"nl": "Voorbeeld", "en": "Example"}, "source": "docs/MEASURES.md", **example.get("norm", {})}
    channel = example.get("channel", CHANNEL)
    document: dict[str, Any] = {
        "organisation": SLUG,
        "title": {"nl": "Voorbeeld", "en": "Example"},
        "systems": {"docs": {"sources": [SOURCE]}},
        "channels": {channel: {}},
        "norms": [{"applies_to": {"channels": [channel]}, **norm}] if "norm" in example else [],
    }
    if "opening_hours" in example:
        document["opening_hours"] = example["opening_hours"]
    return str(yaml.safe_dump(document))


def configured(example: Mapping[str, Any]) -> Configured:
    """The same made ready."""
    return Configured.of(yamlfile.loads(text_of(example), Organisation, "docs/MEASURES.md"))


def events_of(lines: list[str], channel: str) -> list[EventTuple]:
    """Events written as `2026-03-02 09:00:00 opened {appointment_at: 2026-03-02 10:00:00}`; the opening names the channel."""
    found = []
    for number, line in enumerate(lines):
        said, brace, content = line.partition(" {")
        moment, kind = said.rsplit(" ", 1)
        at, data = instant(moment), {"channel": channel} if kind == "opened" else {}
        if brace:
            moments = yaml.load("{" + content, yaml.BaseLoader)
            data |= {name: instant(text) for name, text in moments.items()}
        found.append((at, SOURCE, f"{number}", digest(f"contact.{kind}", at, data), at, kind, data))
    return found


def outcome_of(example: Mapping[str, Any]) -> Outcome:
    """How the product judges the one contact of an example by its one norm."""
    (outcome,) = configured(example).judge(Timeline(events_of(example["events"], example.get("channel", CHANNEL))))
    return outcome


@pytest.mark.parametrize("name", examples("events"))
def test_a_contact_is_judged_as_written(name: str) -> None:
    example = examples("events")[name]
    outcome = outcome_of(example)
    verdict = "excluded" if outcome.excluded else "within" if outcome.within else "late"
    for key, expected in example["gives"].items():
        match key:
            case "verdict":
                assert verdict == expected
            case "excluded":
                assert outcome.excluded == expected
            case _:
                assert getattr(outcome, key) == instant(expected), key


@pytest.mark.parametrize("name", set(examples("contacts")) - set(examples("judged")))
def test_contacts_add_up_to_the_figures(name: str) -> None:
    example = examples("contacts")[name]
    contributions = [part for lines in example["contacts"] for part in contributed(example, lines)]
    assert {measure for measure, *_ in contributions} == set(example["gives"])
    for measure, expected in example["gives"].items():
        parts = [part for part in contributions if part[0] == measure]
        sums = (sum(part[2] for part in parts), sum(part[3] for part in parts), sum(part[4] for part in parts))
        compare(figure(CHANNEL, measure, "28d", 0, sums), expected)


def contributed(example: Mapping[str, Any], lines: list[str]) -> list[Contribution]:
    timeline = Timeline(events_of(lines, example.get("channel", CHANNEL)))
    return of_contact(judged_of(timeline, role_of(timeline, "", {}), configured(example).judge(timeline)))


def compare(found: Figure, expected: Mapping[str, str]) -> None:
    """Numbers agree in as many decimals as are written."""
    for key, number in expected.items():
        if key != "attainment":
            decimals = len(number.partition(".")[2])
            value = getattr(found, key)
            assert value is not None, key
            assert round(value, decimals) == float(number), key


@pytest.mark.parametrize("name", examples("values"))
def test_interval_and_attainment(name: str) -> None:
    example = examples("values")[name]
    scale = 1000 if example["measure"].startswith("answer:") else 1
    values = [int(value) * scale for value, times in example["values"].items() for _ in range(int(times))]
    found = figure(CHANNEL, example["measure"], "28d", 0, (len(values), sum(values), sum(value * value for value in values)))
    compare(found, example["gives"])
    if "attainment" in example["gives"]:
        assert attainment(found, float(example["target"]), MINIMUM_N) == example["gives"]["attainment"]


@pytest.mark.parametrize("name", examples("counts_at"))
def test_a_window_holds_what_is_written(name: str) -> None:
    example = examples("counts_at")[name]
    sums = Sums.load(
        minute_of(instant(example["as_of"])), [(CHANNEL, "volume", minute_of(instant(at)), 1, 0, 0) for at in example["counts_at"]]
    )
    assert example["window"] in WINDOWS
    (found,) = [found for found in sums.all() if found.window == example["window"]]
    compare(found, example["gives"])


@pytest.mark.parametrize("name", examples("revisions"))
def test_the_last_revision_counts_in_any_order(name: str) -> None:
    example = examples("revisions")[name]
    values = []
    for revision in example["revisions"]:
        items = {aspect: float(grade) for aspect, grade in revision["items"].items()}
        data = {"instrument": "after_contact", "version": 1, "channel": CHANNEL, "status": revision["status"], "items": items}
        values.append((int(revision["revision"]), 0, digest("survey.answered", 0, data), 0, data))
    for order in itertools.permutations(values):
        answer = Answer(SLUG, SOURCE, "1")
        for value in order:
            answer.merge(value)
        found = {measure: total for measure, _, _, total, _ in of_answer(answer.value, "")[1]}
        assert found == {measure: thousandths(float(grade)) for measure, grade in example["gives"].items()}
    assert measure_of("after_contact", 1, "overall") in example["gives"]


@pytest.mark.parametrize("name", examples("judged"))
def test_quarters_of_the_views(name: str, clickhouse: ClickHouseEngine) -> None:
    """Through the real store: rows are written by the worker's own step and read by the views."""
    example = examples("judged")[name]
    organisation = configured(example)
    connection = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)
    migrate(connection)
    store = ClickHouseStore(connection, lambda _why: None)
    store.register(organisation.organisation, text_of(example), 0, (), 1)
    store.write(rows_of(organisation, example))
    moment = datetime.fromisoformat(example["at"]).replace(tzinfo=AMSTERDAM)
    views = Views(connection)
    try:
        for by in ("judged", "opened"):
            opened = by == "opened"
            lines = quarter_lines(
                views.quarter_sums(SLUG, moment, opened, False), views.quarter_outcomes(SLUG, moment, opened, False), {}, MINIMUM_N
            )
            found = {(line.period, line.measure): line for line in lines}
            expected = {(quarter, measure): numbers for quarter, figures in example[by].items() for measure, numbers in figures.items()}
            assert found.keys() == expected.keys(), by
            for key, numbers in expected.items():
                line = found[key]
                compare(Figure("", "", "", 0, line.n, line.total, line.squares, line.value, line.low, line.high), numbers)
    finally:
        views.close()


def rows_of(organisation: Configured, example: Mapping[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    contacts: dict[ContactKey, list[EventTuple]] = {
        (SLUG, "docs", f"{number}"): events_of(lines, example["channel"]) for number, lines in enumerate(example["contacts"])
    }
    record = Record("contact-events", 0, 0, 0, SLUG.encode(), b"", [])
    assignment = Assignment(1, {}, {SLUG: organisation}, {}, Known.none(), Known.none())
    return assignment.apply([Decoded(record, SLUG, contacts, events=len(contacts))]).tables


def test_every_example_is_computed() -> None:
    written = [block for block in blocks_of(PAGE) if block.startswith("example:")]
    kinds = ("events", "contacts", "values", "counts_at", "revisions")
    assert len(written) == len({name for kind in kinds for name in examples(kind)}) >= 15
