"""docs/OPERATIONS.md knows every metric, setting of retention and default that the code has, and no other."""

import re

from pipeline.metrics import REGISTRY
from pipeline.retention import KINDS, Retention, variable
from tests.docs.pages import OPERATIONS, rows_of


def rows(head: str) -> dict[str, list[str]]:
    """The table whose first column is called `head`: the codes of that column, to the other cells of the row."""
    return {code: rest for first, *rest in rows_of(OPERATIONS, f"{head} |") for code in re.findall(r"`([^`]+)`", first)}


def test_every_metric_is_explained_and_no_other() -> None:
    exported = {metric.name + ("_total" if metric.type == "counter" else "") for metric in REGISTRY.collect()}
    assert rows("metric").keys() == exported


def test_every_period_is_explained_with_its_default() -> None:
    documented = {name: cells[-1].strip(" |") for name, cells in rows("variable").items() if "_KEEP_" in name}
    assert documented == {variable(kind): str(getattr(Retention(), kind)) for kind in KINDS}
