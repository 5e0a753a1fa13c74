"""From where workers read again, and what of it the log no longer holds."""

from pipeline.rewind import Rewound, plan


def test_each_partition_goes_back_to_its_offset() -> None:
    assert plan({0: 5, 1: 7}, {0: 0, 1: 0}, {0: 9, 1: 7}) == ({0: 5, 1: 7}, Rewound(4, 0, 0))


def test_a_partition_that_was_not_committed_is_read_from_its_beginning() -> None:
    assert plan({}, {0: 0}, {0: 3}) == ({0: 0}, Rewound(3, 0, 0))


def test_what_kafka_has_dropped_since_is_counted() -> None:
    assert plan({0: 5}, {0: 8}, {0: 20}) == ({0: 8}, Rewound(12, 3, 0))


def test_another_log_is_read_whole() -> None:
    assert plan({0: 500, 1: 2}, {0: 1, 1: 0}, {0: 20, 1: 2}) == ({0: 1, 1: 2}, Rewound(19, 0, 1))
