"""Whether the conditions of a mapping hold for a row."""

from collections.abc import Mapping as Texts

from connectors.mapped_file.mapping import Times
from connectors.mapped_file.rules import Condition
from connectors.mapped_file.times import parse_time


def all_hold(conditions: tuple[Condition, ...], row: Texts[str, str], times: Times) -> bool:
    """Whether each of them holds for the row (column to text; an empty text is no value). Raises Unusable for a time that is none."""
    return all(_holds(condition, row, times) for condition in conditions)


def _holds(condition: Condition, row: Texts[str, str], times: Times) -> bool:
    text = row[condition.column]
    if condition.empty is not None:
        return condition.empty == (not text)
    if condition.equals is not None:
        return text == condition.equals
    if condition.one_of is not None:
        return text in condition.one_of
    if condition.not_in is not None:
        return text not in condition.not_in
    column = condition.compared_with
    if column is None or not text or not row[column]:
        return False
    earlier = parse_time(text, times, condition.column) < parse_time(row[column], times, column)
    return earlier if condition.before is not None else not earlier
