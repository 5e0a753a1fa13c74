"""`contactmeter measures` and `contactmeter open` on a real store: what a person reads, and what a program gets."""

import json
import re
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from pipeline.cli import program
from pipeline.cli.measures import since_of
from pipeline.cli.measures_words import WORDS, time_text
from pipeline.numbers import number_text
from tests.engines import ClickHouseEngine
from tests.pipeline.store.lives import DAY, HOUR, MINUTE, SECOND, Life, Measured, local, municipality

AT = local("2025-11-03T11:00")
MONDAYS = [local(f"2025-10-{day}T11:00") for day in ("06", "13", "20", "27")]


def call(name: str, opened: float, wait: int = 30, **fields: object) -> Life:
    """A call, so many hours before AT, answered and handled in four minutes."""
    start = AT - opened * HOUR
    answered = start + SECOND * (wait + 1)
    usual = {"queued": start + SECOND, "answered": answered, "closes": [(answered + 4 * MINUTE, "first_contact", None)]}
    return Life(name, "telephone", start, {"product": "paspoort", "team": "Zuid", "link": name}, **{**usual, **fields})  # type: ignore[arg-type]


LIVES = [
    call("c1", 2),
    call("c2", 3, wait=90),
    call("c3", 1, answered=None, abandoned=AT - HOUR + 41 * SECOND, closes=[]),
    call("c4", 30, callbacks=[(AT - 30 * HOUR + 60 * SECOND, None)]),
    Life("late", "email", AT - 5 * DAY, {"product": "afval", "team": "Zuid", "link": "zaak 1"}),
    Life("today", "email", AT - 4 * DAY + 3 * HOUR, {"product": "afval"}),
    Life("new", "email", AT - HOUR, {"product": "afval"}),
    Life("secret", "email", AT - 2 * HOUR, {"confidential": True}),
    *(Life(f"m{week}-{n}", "telephone", monday - 2 * HOUR + n * HOUR, {}) for week, monday in enumerate(MONDAYS) for n in range(4)),
    Life("first", "telephone", AT - 32 * DAY),
]


@pytest.fixture(scope="module")
def town(clickhouse: ClickHouseEngine) -> Iterator[Measured]:
    town = Measured(clickhouse, municipality("opdrachtstad"))
    try:
        town.take_in(one for life in LIVES for one in life.events())
        yield town
    finally:
        town.close()


@pytest.fixture(autouse=True)
def environment(clickhouse: ClickHouseEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in clickhouse.settings.items():
        monkeypatch.setenv(name, value)


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(program(arguments[0]), [*arguments[:1], "opdrachtstad", *arguments[1:]])
    assert done.exit_code == code, done.output
    return done.output


def test_measures_are_told_in_dutch(town: Measured) -> None:
    lines = [re.sub(r"\s+", " ", line).strip() for line in run("measures", "--at", "2025-11-03T11:00").splitlines()]
    assert lines[0] == "Meetstad · de laatste 24 uur · alle kanalen · 2025-11-03 11:00 Europe/Amsterdam"
    assert "telefoon 3 2 1:00 1:00 1:24 33,3 % 0" in lines, "contacts, answered, mean, median, p90, abandoned, left otherwise"
    assert "telefoon 2 4:00 4:00 0,0 % 100,0 % – 0/0" in lines
    assert "e-mail 4 4 1 1 0 0 0 0 2" in lines, "open, waiting, today, overdue, suspended, stale, call back, overdue, days silent"
    assert "telefoon 17 0 0 0 0 17 1 1 –" in lines
    assert "uit de wachtrij: opgegeven 1, beantwoord 2" in lines
    assert "meeste contacten: paspoort 3, afval 1" in lines
    assert "norm mean_60s, telefoon, 24h: gemiddeld 1:00, langste 1:30, grens 1:00 (n = 2) ✓ gehaald" in lines
    assert "per 1.000 inwoners in 2025-Q4: 0,5" in lines
    # Of four calls on each Monday before three came by eleven: a quarter of what comes is still to come.
    assert "vandaag telefoon: 3 tot nu toe (gewoonlijk 3), nog verwacht 1 (1 – 1)" in lines


def test_measures_by_team_in_english_and_for_programs(town: Measured) -> None:
    text = run("measures", "--at", "2025-11-03T11:00", "--by", "team", "--channel", "telephone", "--period", "quarter", "--lang", "en")
    assert "this quarter so far · telephone" in text
    assert re.search(r"^  Zuid +4 +3 +0:50 ", text, re.MULTILINE)
    assert re.search(r"^  \(unknown\) +17 ", text, re.MULTILINE)
    document = json.loads(run("measures", "--at", "2025-11-03T11:00", "--period", "28d", "--json"))
    assert (document["at"], document["since"]) == ("2025-11-03T10:00:00Z", "2025-10-06T10:00:00Z")
    [total] = [row for row in document["measures"] if not row["channel"]]
    assert (total["contacts"], total["answered"], total["wait_mean"]) == (20, 3, 50)


def test_what_is_open_is_listed_with_the_way_to_it(town: Measured) -> None:
    text = run("open", "--at", "2025-11-03T11:00")
    sections = dict(re.findall(r"^(te laat|wordt vandaag te laat|terugbellen|wacht): (\d+)$", text, re.MULTILINE))
    assert sections == {"te laat": "1", "wordt vandaag te laat": "1", "terugbellen": "1", "wacht": "1"}
    row = next(line for line in text.splitlines() if "mail/late" in line)
    assert re.sub(r"\s+", " ", row).strip() == (
        "mail/late e-mail Zuid afval 2025-10-29 11:00 2025-11-02 11:00 mail_4d https://zaken.voorbeeld.example/zaak%201"
    )
    assert re.search(r"pbx/c4 .* 2025-11-02 05:01  2025-11-03 05:01 ", text), "call-back asked for, and due a day later"
    assert text.splitlines()[-1] == "1 vertrouwelijke contacten zijn alleen geteld"
    assert "secret" not in text


def test_of_a_long_list_the_first_are_shown_and_the_rest_counted(town: Measured) -> None:
    document = json.loads(run("open", "--at", "2025-11-03T11:00", "--channel", "email", "--json"))
    assert [row["contact"] for row in document["waiting"]] == ["new"]
    assert [row["contact"] for row in document["overdue"]] == ["late"]
    assert document["overdue"][0]["overdue_since"] == "2025-11-02T10:00:00Z"
    text = run("open", "--at", "2025-09-27T12:00", "--limit", "1", "--lang", "en")
    assert "to call back: 0" in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("measures", "--by", "person"), "none of via, product, team, location"),
        (("measures", "--period", "2h"), "none of 1h, 24h, 7d, 28d, quarter"),
        (("open", "--lang", "fr"), "write nl or en"),
    ],
)
def test_what_was_asked_wrongly_ends_with_2(arguments: tuple[str, ...], told: str) -> None:
    assert told in run(*arguments, code=2)


def test_times_and_numbers_as_people_read_them() -> None:
    assert [time_text(value) for value in (None, 0, 59.6, 725, 18_250, 90_000)] == ["–", "0:00", "1:00", "12:05", "5:04:10", "1d 01:00"]
    assert [number_text(1234.56, WORDS[lang], 1) for lang in ("nl", "en")] == ["1.234,6", "1,234.6"]


def test_a_quarter_begins_at_local_midnight() -> None:
    assert since_of(AT, "quarter", "Europe/Amsterdam") == local("2025-10-01T00:00") - SECOND / 1000
    assert since_of(AT, "28d", "Europe/Amsterdam") == AT - 28 * DAY
