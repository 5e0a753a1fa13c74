"""`contactmeter explain` and `norms` as a person runs them, on a real store."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.assignment import Assignment
from pipeline.cli import program
from pipeline.cli.explain import LONGEST, lines_of
from pipeline.configured import Configured
from pipeline.decode import Decoded, Record, decode
from pipeline.explain import explain
from pipeline.known import Known
from pipeline.norms import Judge
from pipeline.store.client import Connection
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from schemas import batch, yamlfile
from schemas.norm_sets import norm_set, norm_set_names
from schemas.organisation import Organisation
from schemas.partitions import partition_of
from tests.engines import ClickHouseEngine
from tests.pipeline.builders import NINE, event, ms, norm, organisation, record, timeline, wire

SLUG = "uitleg"
TOWN = f"""
organisation: {SLUG}
title: {{nl: Uitleg, en: Explained}}
systems:
  zaken: {{sources: ["urn:nld:oin:1:systeem:zaken"]}}
  telefonie: {{sources: ["urn:nld:oin:1:systeem:telefonie"]}}
channels: {{email: {{leading_system: zaken}}}}
norms:
  - id: antwoord_2wd
    title: {{nl: Beantwoord binnen 2 werkdagen, en: Answered within 2 working days}}
    applies_to: {{channels: [email]}}
    clock: working-days
    threshold: 2wd
    stop: responded
    source: invented
instruments:
  na_contact:
    - {{version: 1, title: {{nl: q, en: q}}, scale: 1-10, aspects: {{oordeel: {{title: {{nl: o, en: o}}}}}}}}
"""
ZAKEN, TELEFONIE = "urn:nld:oin:1:systeem:zaken", "urn:nld:oin:1:systeem:telefonie"
EVENTS = [
    wire("contact.opened", ms("2026-04-02T14:00"), source=ZAKEN, contact="Z/1", channel="email", product="Paspoort"),
    wire("contact.opened", ms("2026-04-02T14:00"), source=ZAKEN, contact="both", channel="email"),
    wire("contact.opened", ms("2026-04-02T14:00"), source=TELEFONIE, contact="both", channel="email"),
    wire(
        "contact.opened", ms("2026-04-02T14:01"), source=TELEFONIE, contact="T1", channel="email", same_as={"system": "zaken", "id": "Z/1"}
    ),
    wire("contact.responded", ms("2026-04-07T10:00"), source=TELEFONIE, contact="T1"),
    wire(
        "survey.answered", ms("2026-04-08T10:00"), source=TELEFONIE, instrument="na_contact", version=1, answer="a1", revision=0,
        status="complete", items={"oordeel": 8}, comment="fijn", contact={"system": "zaken", "id": "Z/1"},
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def stored(clickhouse: ClickHouseEngine) -> Iterator[None]:
    """The contacts above, written by the worker's own step into the store that the environment names."""
    connection = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)
    migrate(connection)
    store = ClickHouseStore(connection, lambda _why: None)
    town = yamlfile.loads(TOWN, Organisation, "town.yaml")
    store.register(town, TOWN, 0, (), 1)
    configured = {SLUG: Configured.of(town)}
    found: Decoded = decode(_record(), configured)
    assert not found.rejects
    store.write(Assignment(1, {}, configured, {}, Known.none(), Known.none()).apply([found]).tables)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in clickhouse.settings.items():
            patch.setenv(name, value)
        yield


def _record() -> Record:
    return record(EVENTS, key=SLUG.encode(), partition=partition_of(SLUG), headers=batch.headers(SLUG))


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(program(arguments[0]), list(arguments))
    return done.exit_code, done.output


def test_a_contact_is_explained_with_what_another_system_told(stored: None) -> None:
    code, output = run("explain", "zaken/Z/1", "-o", SLUG)
    assert code == 0, output
    assert output.splitlines()[:1] == ["uitleg zaken/Z/1: telt mee"]
    assert "  do 2026-04-02 14:00:00  geopend: kanaal=e-mail, product=Paspoort" in output
    assert "  di 2026-04-07 10:00:00  antwoord gegeven (uit telefonie/T1)" in output
    assert "antwoord_2wd (v1): Beantwoord binnen 2 werkdagen" in output
    assert "    ma 2026-04-06: telt niet (Tweede paasdag)" in output
    assert "  uiterste moment: wo 2026-04-08 23:59:59.999" in output
    assert output.rstrip().endswith("BINNEN de norm; telt in de minuut tot di 2026-04-07 10:00:00")


def test_the_answers_that_name_a_contact_are_shown(stored: None) -> None:
    """An access request asks for everything that is stored of it."""
    _, output = run("explain", "zaken/Z/1", "-o", SLUG)
    assert "antwoorden op vragenlijsten:" in output
    assert "na_contact v1: oordeel 8 (met toelichting)" in output
    code, output = run("explain", "zaken/Z/1", "-o", SLUG, "--json")
    assert (code, [answer["items"] for answer in json.loads(output)["answers"]]) == (0, [{"oordeel": 8.0}])


def test_an_id_that_one_system_has_is_enough(stored: None) -> None:
    code, output = run("explain", "Z/1", "--organisation", SLUG, "--lang", "en")
    assert code == 0, output
    assert "WITHIN the norm" in output
    code, output = run("explain", "T1", "-o", SLUG, "--lang", "en")
    assert output.splitlines()[0] == "uitleg telefonie/T1: does not count itself: it adds to another contact"


def test_for_programs(stored: None) -> None:
    code, output = run("explain", "Z/1", "-o", SLUG, "--lang", "en", "--json")
    assert code == 0, output
    document = json.loads(output)
    assert document["role"] == "counts"
    assert document["norms"][0]["outcome"]["deadline"] == ms("2026-04-08T23:59:59.999")
    assert "  deadline: Wed 2026-04-08 23:59:59.999" in document["norms"][0]["explanation"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["both", "-o", SLUG], 1, "'both' stands for several contacts: telefonie/both, zaken/both; name one"),
        (["nobody", "-o", SLUG], 1, "uitleg has no contact 'nobody'"),
        (["Z/1", "-o", "nowhere"], 2, "there is no organisation 'nowhere'; name one with --organisation"),
        (["Z/1", "--lang", "fy"], 2, "--lang 'fy': write nl or en"),
    ],
)
def test_what_a_person_is_told_who_asked_wrongly(stored: None, arguments: list[str], code: int, message: str) -> None:
    assert run("explain", *arguments) == (code, f"{message}\n")


def test_of_many_days_the_middle_is_counted() -> None:
    fields: dict[str, Any] = {"clock": "working-days", "threshold": "100wd", "start": "opened", "stop": "closed"}
    town = organisation(norm(**fields))
    contact = timeline(event("opened", NINE, channel="telephone"))
    (one,) = explain(town, contact, Judge(town)(contact), NINE)
    lines = lines_of(one, town, "nl")
    assert len([line for line in lines if line.startswith("    ")]) == LONGEST + 1
    (rest,) = [line for line in lines if "dagen …" in line]
    days = [step for step in one.steps if step.says in ("counts", "does_not_count")]
    assert rest == f"    … en nog {len(days) - LONGEST} dagen …"


def test_norm_sets_are_listed_and_shown() -> None:
    code, output = run("norms", "list")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == list(norm_set_names())
    code, output = run("norms", "show", "leiderdorp")
    assert code == 0
    assert [one["id"] for one in yaml.safe_load(output)["norms"]] == [one.id for one in norm_set("leiderdorp").norms]
    assert run("norms", "show", "nowhere")[0] == 2
