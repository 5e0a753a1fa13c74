"""When the brake trips, and when one release is enough."""

from collections.abc import Sequence

import pytest

from pipeline.brake import LEAST, RUN, Brake
from pipeline.decode import Decoded, Record, Reject

RECORD = Record("contact-events", 0, 0, 0, b"voorbeeld", b"", [])


def decoded(events: int, refused: Sequence[int] = ()) -> Decoded:
    """A record of so many events of which those at some positions were refused, in no order."""
    rejects = [Reject(RECORD, position, "unknown_channel", "$", "", "", b"", 0, "") for position in reversed(refused)]
    return Decoded(RECORD, "voorbeeld", rejects=rejects, events=events)


WHOLE = Decoded(RECORD, "voorbeeld", rejects=[Reject(RECORD, -1, "invalid_json", "$", "", "", b"", 0, "")])
"""A record that is refused as a whole: one refusal of which no event is known."""
GOOD = decoded(1)


def all_refused(events: int) -> Decoded:
    return decoded(events, range(events))


def test_good_events_and_a_few_refused_ones_pass() -> None:
    brake = Brake()
    for _ in range(100):
        assert brake.judge([decoded(100, range(0, 100, 3))]) == ""


def test_a_run_of_refused_events_trips_over_records_and_batches() -> None:
    brake = Brake(share=None)
    assert brake.judge([decoded(10, [8, 9]), all_refused(400)]) == ""
    assert brake.judge([all_refused(RUN - 403)]) == ""
    assert (
        brake.judge([decoded(3, [0, 2])]) == f"{RUN:,} events in a row were refused, most of this batch as `unknown_channel` of 'voorbeeld'"
    )


@pytest.mark.parametrize("batch", [[decoded(500, range(499))], [decoded(500, range(1, 500))], [all_refused(499), GOOD, all_refused(499)]])
def test_a_good_event_ends_a_run(batch: list[Decoded]) -> None:
    brake = Brake(share=None)
    assert brake.judge(batch) == ""
    assert brake.judge([GOOD]) == ""


def test_a_run_inside_a_batch_trips_though_good_events_follow() -> None:
    assert Brake(share=None).judge([all_refused(300), all_refused(200), decoded(500)]).startswith("500 events in a row")
    assert Brake(share=None, run=5).judge([decoded(20, range(7, 12))]).startswith("5 events in a row")


def test_records_refused_as_a_whole_count_as_one_event_each() -> None:
    brake = Brake(share=None)
    assert brake.judge([WHOLE] * (RUN - 1)) == ""
    assert "in a row" in brake.judge([WHOLE])


def test_more_than_the_share_of_enough_events_trips() -> None:
    half = decoded(100, range(0, 100, 2))
    brake = Brake(run=None)
    assert brake.judge([half] * 50) == "", "half is not more than half"
    assert brake.judge([decoded(100, range(51))] * 20).startswith("1,0"), "the share of the last 2,000 events"
    few = Brake(run=None)
    assert few.judge([all_refused(LEAST - 1)]) == ""
    assert few.judge([decoded(1, [0])]).startswith(f"{LEAST} of the last {LEAST} events")


def test_good_events_after_bad_ones_are_no_reason_to_stop() -> None:
    brake = Brake(run=None)
    assert brake.judge([all_refused(480)]) == ""
    assert brake.judge([decoded(20), decoded(20)]) == ""
    assert brake.judge([decoded(20, [3])]) != ""
    brake.forget()
    assert brake.judge([decoded(20, [3])]) == "", "under another configuration"


def test_what_lies_before_the_window_is_forgotten() -> None:
    brake = Brake(run=None)
    for _ in range(2):
        assert brake.judge([decoded(500)] * 4) == ""
        assert brake.judge([all_refused(500)] * 2) == "", "as many good ones stand before them in the window"
    assert brake.judge([WHOLE]) != ""


def test_a_batch_that_trips_is_not_remembered() -> None:
    brake = Brake()
    assert brake.judge([all_refused(RUN - 1)]) == ""
    for _ in range(3):
        assert brake.judge([all_refused(1), decoded(1)]) != ""
    assert brake.judge([decoded(600)]) == "", "judged again under another configuration"


def test_one_release_is_enough_for_a_long_stretch_of_rubbish() -> None:
    brake = Brake()
    assert brake.judge([all_refused(500)]) != ""
    brake.release()
    for _ in range(50):
        assert brake.judge([all_refused(500)]) == ""
    for _ in range(3):
        assert brake.judge([decoded(500)]) == "", "three quarters of a window are good, and the rest was refused"
    assert brake.judge([all_refused(600), decoded(1)]) == "", "not armed yet"
    for _ in range(6):
        assert brake.judge([decoded(500)]) == ""
    assert brake.judge([all_refused(500)]) != "", "armed again"


def test_either_limit_and_both_can_be_off() -> None:
    assert Brake(share=None, run=None).judge([all_refused(5_000)]) == ""
    assert Brake(share=None).judge([decoded(4, [0, 1, 2])] * 1_000) == ""
    assert Brake(run=None).judge([all_refused(600)]).startswith("600 of the last 600")
