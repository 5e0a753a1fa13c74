"""The plugin's macros: every golden expansion, and what we refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from dashboards.reading.macros import MacroError, Span, expand

GOLDEN = json.loads(Path(__file__).with_name("golden_macros.json").read_text(encoding="utf-8"))
SPAN = Span(1_415_792_726_123, 1_447_328_726_456)


def outcome(sql: str, case: dict[str, Any]) -> str | None:
    """The expansion with a golden case's span and interval; None when it is refused."""
    try:
        return expand(sql, Span(case["from_ms"], case["to_ms"]), case["interval_ms"])
    except MacroError:
        return None


def named(case: dict[str, Any]) -> str:
    return str(case.get("sql") or f"{case['macro']}({', '.join(case['arguments'])}) {case['from_ms']} {case['interval_ms']}")


@pytest.mark.parametrize("case", GOLDEN["handlers"], ids=named)
def test_a_macro_yields_what_the_plugin_yields(case: dict[str, Any]) -> None:
    assert outcome(f"$__{case['macro']}({', '.join(case['arguments'])})", case) == case.get("output")


@pytest.mark.parametrize("case", GOLDEN["statements"], ids=named)
def test_a_statement_is_read_as_the_plugin_reads_it(case: dict[str, Any]) -> None:
    assert outcome(case["sql"], case) == case.get("output")


def test_every_macro_has_a_golden_expansion() -> None:
    from dashboards.reading.macros import _MACROS

    with_output = {case["macro"] for case in GOLDEN["handlers"] if "output" in case}
    in_statements = {name for name in _MACROS for case in GOLDEN["statements"] if "output" in case and f"$__{name}" in case["sql"]}
    assert with_output | in_statements == set(_MACROS)


@pytest.mark.parametrize(
    "name", ["columns", "rateColumns", "perSecondColumns", "increaseColumns", "lttb", "conditionalAll", "adHocFilters", "table"]
)
def test_what_boards_must_not_use_is_refused_by_name(name: str) -> None:
    with pytest.raises(MacroError, match=rf"\$__{name} is not expanded here"):
        expand(f"$__{name}(a, b, c) FROM t", SPAN, 1000)
    assert expand(f"SELECT 1 -- $__{name}\n, $__interval_s", SPAN, 1000).endswith("\n, 1")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("$__timeFilter()", r"\$__timeFilter takes 1 argument, not 0"),
        ("$__dt(a)", r"\$__dt takes 2 arguments, not 1"),
        ("$__timeGroup(ts, 1d)", "a duration such as 5m or 1h30m, not '1d'"),
        ("$__timeGroup(ts, 0s)", "at least a second, not '0s'"),
        ("$__timeFrom(" * 200 + "x" + ")" * 200, "more than 128 deep"),
    ],
)
def test_a_refusal_names_the_macro_and_the_reason(sql: str, said: str) -> None:
    with pytest.raises(MacroError, match=said):
        expand(sql, SPAN, 1000)
