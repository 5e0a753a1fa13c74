"""`contactmeter drift` as a person runs it, on a real store in which a worker has looked."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from connectors.protocol import WireEvent
from pipeline.cli import program
from pipeline.cli.drift import named
from pipeline.drift.look import look
from pipeline.drift.signal import Signal
from pipeline.drift.words import sentence
from pipeline.store.client import Connection
from pipeline.store.drift_looks import DriftStore
from schemas.errors import InvalidConfiguration
from schemas.types import epoch_ms
from tests.e2e.synthetic import event
from tests.engines import ClickHouseEngine
from tests.pipeline.store.lives import PBX, Measured, local, municipality

SLUG = "driftmeetstad"
FIRST, CHANGED, END = (datetime.fromisoformat(day) for day in ("2026-01-05", "2026-04-20", "2026-05-01"))


def calls() -> Iterator[WireEvent]:
    """Some fifty calls a working day from nine to five; from CHANGED on many of Zuid wait for minutes."""
    random = np.random.default_rng(5)
    day = FIRST
    while day < END:
        if day.weekday() < 5:
            for number in range(random.poisson(50)):
                opened = epoch_ms(local(f"{day + timedelta(seconds=int(random.integers(9 * 3600, 17 * 3600 - 900)))}"))
                team = ("Zuid", "Balie")[number % 2]
                wait = 20_000 * random.lognormal(0, 0.6) * (5 if day >= CHANGED and team == "Zuid" else 1)
                contact: dict[str, object] = {"contact": f"{day:%m%d}-{number}"}
                yield event("contact.opened", PBX, opened, {**contact, "channel": "telephone", "team": team, "product": "p"})
                yield event("contact.queued", PBX, opened, contact)
                yield event("contact.answered", PBX, opened + int(wait), contact)
        day += timedelta(days=1)


@pytest.fixture(scope="module")
def found(clickhouse: ClickHouseEngine) -> Iterator[list[Signal]]:
    """What a look found in the calls above, and stored as a worker does."""
    town = Measured(clickhouse, municipality(SLUG))
    town.take_in(calls())
    store, now = (
        DriftStore(Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)),
        epoch_ms(local(f"{END}")),
    )
    known = store.known(town.settings, now)
    assert known is not None
    looked = look(town.settings, known, now)
    states = [
        looked.questions[one.id, one.sequence].answered(store.parts(SLUG, looked.questions[one.id, one.sequence]), 5)
        if one.state != "over"
        else one
        for one in looked.states
    ]
    store.write_signals(states, [(sentence(one, town.settings, "nl", now), sentence(one, town.settings, "en", now)) for one in states], now)
    store.write_standing(SLUG, looked.checkpoints, looked.watches, now)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in clickhouse.settings.items():
            patch.setenv(name, value)
        yield states
    town.close()


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(program("drift"), ["drift", *arguments])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


def of_stream(found: list[Signal], stream: str) -> Signal:
    """The last state of the signal of a stream that lasts."""
    return [one for one in found if one.stream == stream][-1]


def test_streams_and_signals_are_listed(found: list[Signal]) -> None:
    output = run("list", SLUG, "--lang", "en")
    rows = {line.split()[1]: line for line in output.splitlines() if line.startswith("  Telephone")}
    assert set(rows) == {"volume", "wait", "norm:calls_45s"}
    assert all("unknown: no fresh data" in line for line in rows.values()), "nothing came for months"
    waits = of_stream(found, "wait")
    (line,) = [line for line in output.splitlines() if line.startswith(waits.id)]
    assert line.startswith(f"{waits.id}  Telephone: since ")
    assert "a wait of" in line


def test_a_list_for_programs(found: list[Signal]) -> None:
    document = json.loads(run("list", SLUG, "--all", "--json"))
    assert {one["stream"] for one in document["streams"]} == {"volume", "wait", "norm:calls_45s"}
    assert {one["id"] for one in document["signals"]} == {one.id for one in found}
    assert all(one["text"].startswith("Telefoon: ") for one in document["signals"] if one["state"] == "found")


def test_a_signal_is_explained_and_found_again(found: list[Signal], tmp_path: Path) -> None:
    norm, drawing = of_stream(found, "norm:calls_45s"), tmp_path / "norm.svg"
    output = run("explain", norm.id[:7], "--lang", "en", "--picture", str(drawing))
    lines = output.splitlines()
    assert lines[0].startswith("Telephone: since ")
    assert lines[0].endswith("; mainly Zuid")
    assert any(line.startswith("  computed again from the hourly sums: the same was found") for line in lines)
    assert any(line.startswith("  Mon 2026-04-20") for line in lines)
    assert "↑ onset" in output
    title = ElementTree.parse(drawing).getroot().find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == lines[0]


def test_a_picture_that_can_not_be_written_is_told(found: list[Signal], tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "wait.svg"
    output = run("explain", found[0].id, "--picture", str(path), code=2)
    assert output.splitlines()[-1] == f"contactmeter drift: --picture {path} can't be written: No such file or directory"


def test_an_explanation_for_programs(found: list[Signal]) -> None:
    norm = of_stream(found, "norm:calls_45s")
    document = json.loads(run("explain", norm.id, "--json"))
    assert document["again"]["same"] is True
    assert [one["state"] for one in document["states"]] == [one.state for one in found if one.id == norm.id]
    days = {one["start"]: one for one in document["days"]}
    assert all(one["n"] > 20 and 0 <= one["low"] <= one["expected"] <= one["high"] <= 1 for one in days.values())
    assert max(one["fall"] for one in document["path"]) > np.log(document["threshold"])


def test_history_is_replayed_with_several_budgets(found: list[Signal]) -> None:
    output = run("backtest", "--organisation", SLUG, "--from", "2026-03-02", "--budget", "0.5", "--lang", "en")
    lines = output.splitlines()
    assert lines[0].startswith(f"{SLUG}: what would have been told from Mon 2026-03-02 00:00 until Thu 2026-04-30")
    (titles,) = [line.split() for line in lines if line.startswith("  stream")]
    assert titles[1:3] == ["0.5", "1*"]
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert rows["wait"][2] == "1"
    assert any(line.startswith(("  Mon 2026-04-20", "  Tue 2026-04-21")) for line in lines)


def test_a_backtest_finds_what_the_worker_found(found: list[Signal]) -> None:
    document = json.loads(run("backtest", "--organisation", SLUG, "--from", "2026-03-02", "-c", "telephone", "--json"))
    assert {one["budget"] for one in document["streams"]} == {0.25, 0.5, 1.0, 2.0, 4.0}
    alarms = [alarm for one in document["streams"] if one["in_force"] for alarm in one["alarms"]]
    told = {state["id"]: state["at"] for alarm in alarms for state in alarm["states"] if state["state"] == "found"}
    assert told == {one.id: one.at for one in found if one.state == "found"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "nothing"], "there is no signal 'nothing'; `contactmeter drift list ORGANISATION --all` shows all"),
        (["list", "elders"], "no organisation 'elders' is in force"),
        (["list", SLUG, "--lang", "fy"], "--lang 'fy': write nl or en"),
        (
            ["backtest", "--organisation", SLUG, "--from", "gisteren"],
            "--from 'gisteren' is no moment; write 2026-03-02T09:00 or 2026-03-02",
        ),
        (
            ["backtest", "--organisation", SLUG, "--from", "2026-06-01"],
            "--from 2026-06-01 does not lie before Thu 2026-04-30 16:00, where the data end",
        ),
        (["backtest", "--organisation", SLUG, "--from", "2026-03-01", "--budget", "13"], "--budget 13: write a number above 0, at most 12"),
        (
            ["backtest", "--organisation", SLUG, "--from", "2026-03-01", "-c", "fax"],
            "--channel 'fax': driftmeetstad has counter, email, telephone, website",
        ),
    ],
)
def test_what_a_person_is_told_who_asked_wrongly(found: list[Signal], arguments: list[str], message: str) -> None:
    assert run(*arguments, code=2).splitlines()[-1] == f"contactmeter drift: {message}"


def test_a_signal_is_named_by_the_beginning_of_its_id(found: list[Signal]) -> None:
    one = found[0]
    several = [replace(one, id="a1"), replace(one, id="a1", sequence=1), replace(one, id="a12"), replace(one, id="b2")]
    assert [state.sequence for state in named(several, "a1")] == [0, 1], "the whole id of one and the beginning of another"
    assert named(several, "b") == [several[3]]
    for name, message in (("a", "'a' stands for several signals: a1, a12"), ("", "there is no signal ''")):
        with pytest.raises(InvalidConfiguration, match=message):
            named(several, name)
