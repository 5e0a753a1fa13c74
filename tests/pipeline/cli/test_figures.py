"""`figures` and `quarters` on the terminal: what can be read at 80 columns, and what a person is told who asked wrongly."""

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from pipeline.cli import program
from pipeline.cli.asked import heading_of
from pipeline.cli.figures import _Found, _say_left_out
from pipeline.cli.overview import in_brief
from pipeline.cli.table import figure_table
from pipeline.report import Line

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = {"title_en": "Simulatiestad (simulated)", "zone": "Europe/Amsterdam", "simulated": True}
NOTES = {"within": 12_345, "late": 2_345, "overdue": 1_234, "excluded abandoned": 999, "excluded no_deadline": 12}


def line(period: str, measure: str, notes: dict[str, int]) -> Line:
    return Line(period, "telephone", measure, 14_690, 0.84, 0.83, 0.85, 0.8, "met", 12_345, 12_345, notes)


def printed(table: RenderableType) -> list[str]:
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(table)
    return console.export_text().splitlines()


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(program(arguments[0]), list(arguments))
    return done.exit_code, done.output


def test_quarters_fit_80_columns_with_whole_names_and_notes() -> None:
    rows = printed(figure_table("Town", [line("2026-Q1", "norm:telephone_60s_answered", NOTES), line("2026-Q1", "wait", {})], "quarter"))
    assert max(map(len, rows)) <= 80
    assert any(row.startswith("  norm telephone_60s_answered ") and "✓ met" in row for row in rows)
    assert "2026-Q1 telephone" in [row.strip() for row in rows]
    text = " ".join(" ".join(rows).split())
    assert "of which 12,345 within, 2,345 late, 1,234 overdue, 999 excluded abandoned, 12 excluded no_deadline" in text


def test_a_measure_is_named_once_for_its_windows() -> None:
    rows = printed(figure_table("Town", [line(window, "norm:telephone_45s", {}) for window in ("1h", "24h")], "window"))
    assert sum("telephone_45s" in row for row in rows) == 1
    assert [row.split()[0] for row in rows if "24h" in row] == ["24h"]


def test_the_heading_says_each_thing_once() -> None:
    assert heading_of("simulatiestad", SETTINGS, AT) == "Simulatiestad (simulated) · as of 2026-03-02 13:00 Europe/Amsterdam"
    other = {"title_en": "Our town", "zone": "Europe/Amsterdam", "simulated": False}
    assert heading_of("pwc", other, None) == "Our town (pwc) · no figures yet"


def test_json_names_organisation_and_instant() -> None:
    found = _Found("Town", AT.replace(tzinfo=None), [line("1h", "wait", {})])
    document = json.loads(found.as_json("pwc", figures=found.lines))
    assert (document["organisation"], document["as_of"]) == ("pwc", "2026-03-02T12:00:00Z")
    assert document["figures"][0]["n"] == 14_690


def test_a_questionnaire_without_an_overall_grade_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line("2026-Q1", f"answer:{name}", {}) for name in ("helpdesk:1:satisfaction", "desk:1:overall", "desk:1:ease")] + [
        line("2026-Q1", "wait", {})
    ]
    _say_left_out(lines, [one for one in lines if in_brief(one)])
    assert capsys.readouterr().out == "no overall grade in helpdesk: --all shows its aspects\n"
    _say_left_out(lines, lines)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", ["figures", "quarters"])
def test_without_a_stack_it_says_so_in_one_line(
    command: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path_factory.mktemp("none")
    monkeypatch.setenv("CONTACTMETER_DIR", str(directory))
    for name in ("CONTACTMETER_CLICKHOUSE_HOST", "CONTACTMETER_CLICKHOUSE_HTTP_PORT"):
        monkeypatch.delenv(name, raising=False)
    code, output = run(command)
    assert code == 1
    assert output.startswith(f"no stack runs on {directory}; start it with `contactmeter up`")
    assert len(output.splitlines()) == 1


def test_what_was_asked_wrongly_ends_with_2() -> None:
    assert run("figures", "--watch", "-1")[0] == 2
    code, output = run("figures", "--window", "2h")
    assert (code, "1h, 24h, 7d, 28d" in output) == (2, True)
