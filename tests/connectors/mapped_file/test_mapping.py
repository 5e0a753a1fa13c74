"""A mapping file that is wrong says where and what."""

import pytest

from schemas.errors import InvalidConfiguration
from tests.connectors.mapped import MAPPING, changed, mapping


def test_the_columns_in_use() -> None:
    assert mapping().columns() == {"Id", "Channel", "Product", "Opened", "Closed", "Due", "Grade"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("zone: Europe/Amsterdam", "zone: Europe/Leiden", r"mapping\.yaml:8: times\.zone: 'Europe/Leiden' is no time zone"),
        ("iso]", "YYYY]", r"mapping\.yaml:8: times\.formats\[1\]: 'YYYY' is no time format; write iso, or a form such as"),
        (
            "type: contact.closed",
            "type: contact.finished",
            r"'contact\.finished' is not one that a file can give; there are: contact\.opened",
        ),
        ("product: Product}", "subject: Product}", r"contact\.opened has no field 'subject'; it has: .*product"),
        ("table: channel}", "table: channels}", r"table 'channels' is not one of tables \(channel\)"),
        ("drop: [Name]", "drop: [Grade]", "column 'Grade' stands under file.drop and is used as well"),
        ("contact: Id\n", "", r"contact\.opened needs the id of a contact; name its column"),
        ("empty: false}", "empty: false, equals: x}", "a condition has exactly one of equals, in, not_in, empty, before and not_before"),
        ("items: {overall: Grade}", "items: Grade", r"the field 'items' of survey\.answered holds names and values"),
        ("product: Product}", "product: {a: Product}}", r"events\[0\].*this name is not known here"),
        ("{value: complete}", "{value: complete, column: Status}", r"write a column's name, or \{column: …\}, or \{value: …\}"),
        ("at: Closed\n  - type: survey", "at: Closed\n    deadlines: {x: Due}\n  - type: survey", "contact.closed carries no deadlines"),
        ("source: urn:nld", "source: http:nld", r"mapping\.yaml:4: source"),
        ("mapping: desk", "mapping: Desk 1", r"mapping\.yaml:2: mapping"),
        ("system: desk\n", "", "system: this is required"),
    ],
)
def test_faults(old: str, new: str, message: str) -> None:
    assert MAPPING.count(old) >= 1
    with pytest.raises(InvalidConfiguration, match=message):
        mapping(MAPPING.replace(old, new, 1))


def test_a_tab_may_be_written_out() -> None:
    assert [changed(file={"delimiter": text}).file.delimiter for text in ("tab", "\\t", "\t")] == ["\t"] * 3
