"""docs/DRIFT.md: its constants, shifts, states and fields are those of the code, and its numbers of observations follow from it."""

import math
import pkgutil
from dataclasses import fields
from importlib import import_module
from typing import get_args

import pytest

import pipeline.drift
from benchmarks.drift.__main__ import written
from pipeline.drift.detector import threshold
from pipeline.drift.kinds import KINDS
from pipeline.drift.look import SILENT_MS
from pipeline.drift.pause import LEFT_OUT, RELEARN
from pipeline.drift.signal import Ended, Signal, State
from pipeline.drift.status import Status
from pipeline.drift.streams import HOUR_MS, ROUND_THE_CLOCK
from tests.docs.pages import DRIFT, first_cells, rows_of, text_of

MODULES = [import_module(f"pipeline.drift.{module.name}") for module in pkgutil.iter_modules(pipeline.drift.__path__)]


@pytest.mark.parametrize(("name", "value"), [(row[0].strip("`"), float(row[1])) for row in rows_of(DRIFT, "constant")])
def test_constants(name: str, value: float) -> None:
    found = {float(vars(module)[name]) for module in MODULES if isinstance(vars(module).get(name), int | float)}
    assert found == {value}


def test_shifts() -> None:
    documented = {row[0]: row[2:] for row in rows_of(DRIFT, "kind | scale")}
    assert documented == {
        name: [
            ", ".join(f"{shift:g}" for shift in kind.shifts),
            f"{kind.tolerance:g}",
            f"{kind.spread:g}" if kind.spread else "–",
            f"{kind.day:g}, {kind.hour:g}",
        ]
        for name, kind in KINDS.items()
    }


def test_states_and_what_they_are_called() -> None:
    assert first_cells(DRIFT, "state |") == set(get_args(State))
    assert first_cells(DRIFT, "`ended`") == set(get_args(Ended)) - {""}
    assert first_cells(DRIFT, "status") == set(get_args(Status))
    assert first_cells(DRIFT, "marker") == {*RELEARN, "questionnaire_change", *LEFT_OUT}


def test_every_field_of_a_signal_is_explained_and_no_other() -> None:
    assert first_cells(DRIFT, "field") == {field.name for field in fields(Signal)} | {"worse", "text_nl", "text_en"}


def test_what_is_said_of_hours() -> None:
    text = " ".join(text_of(DRIFT).split())
    assert all(f"`{channel}`" in text.split("**Round the clock.**")[1].split("**")[0] for channel in ROUND_THE_CLOCK)
    assert SILENT_MS == 3 * HOUR_MS
    assert "after three hours of opening time" in text


def test_the_least_number_of_observations() -> None:
    """ln A over the information of a change (Kullback & Leibler) in one observation."""

    def share(usual: float, seen: float) -> float:
        return seen * math.log(seen / usual) + (1 - seen) * math.log((1 - seen) / (1 - usual))

    def number(factor: float) -> float:
        return factor * math.log(factor) - factor + 1

    informations = [
        (0.5 / 1.7) ** 2 / 2, (1 / 1.7) ** 2 / 2, share(0.8, 0.7), share(0.8, 0.6),
        (math.log(1.25) / 0.9) ** 2 / 2, (math.log(1.6) / 0.9) ** 2 / 2, number(0.6), number(1.5),
    ]  # fmt: skip
    documented = [int(row[1].split()[0]) for row in rows_of(DRIFT, "change | observations")]
    assert documented == [round(threshold(0.25) / information) for information in informations]


def test_the_benchmark_replaces_the_section_it_writes(tmp_path_factory: pytest.TempPathFactory) -> None:
    page = tmp_path_factory.mktemp("docs") / "DRIFT.md"
    page.write_text(text_of(DRIFT), encoding="utf-8")
    written(page, "## Measured\n\nanew\n")
    before, _, after = page.read_text(encoding="utf-8").partition("## Measured\n")
    assert before == text_of(DRIFT).partition("## Measured\n")[0]
    assert after.strip() == "anew"
