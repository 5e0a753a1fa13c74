"""What `setup` does about retention: it changes what differs, and deletes nothing unless asked."""

import pytest

from pipeline.cli import keeping
from pipeline.retention import Kept, Period

SAME = Kept("rolling", "figures", "100 days", Period(100), differs=False)
LONGER = Kept("gauges", "gauges", "100 days", Period(200), differs=True)
SHORTER = Kept("contacts", "contacts", "forever", Period(25, "month"), differs=True, deletes="1,234 rows")


def changed(delete_expired: bool) -> list[Kept]:
    found: list[Kept] = []
    keeping.change([SAME, LONGER, SHORTER], found.append, delete_expired)
    return found


def test_what_would_delete_something_is_left_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert changed(delete_expired=False) == [LONGER]
    said = capsys.readouterr()
    assert said.out == "gauges: kept 200 days from now on (was 100 days)\n"
    assert said.err == (
        "contacts: kept forever, CONTACTMETER_KEEP_CONTACTS says 25 months: left as it is, for that would delete 1,234 rows now; "
        "`contactmeter setup --delete-expired` does it\n"
    )


def test_when_asked_it_is_done() -> None:
    assert changed(delete_expired=True) == [LONGER, SHORTER]
