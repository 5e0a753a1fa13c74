"""Setting back what a consumer group has committed, so that workers read part of the log again: after a restore, or for a rebuild."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CoordinatorNotAvailableError, NoError
from kafka.structs import OffsetAndMetadata

from schemas.errors import ContactmeterError
from schemas.topics import topics

MEMBERS_LEAVE_S = 30.0
"""A worker with a name of its own stays a member until its session runs out, 10 s after it ended."""


class GroupInUse(ContactmeterError):
    """Workers still read; their offsets can't be changed under them."""


@dataclass(frozen=True)
class Rewound:
    """What workers will read again, in records, and what the log no longer holds of it. `replaced`: partitions whose log is another one."""

    records: int
    lost: int
    replaced: int


def await_empty(admin: KafkaAdminClient, group: str, say: Callable[[str], None], wait_s: float = MEMBERS_LEAVE_S) -> None:
    """Return once no worker is in the group. Raises GroupInUse after `wait_s` seconds."""
    deadline = time.monotonic() + wait_s
    said = False
    while members := _members(admin, group):
        if time.monotonic() > deadline:
            raise GroupInUse(f"{members} workers of group {group} still run: stop them first, and whatever starts them again")
        if not said:
            say(f"waiting until the {members} workers of group {group} have left")
            said = True
        time.sleep(0.5)


def _members(admin: KafkaAdminClient, group: str) -> int:
    try:
        return len(admin.describe_groups([group])[group]["members"])
    except CoordinatorNotAvailableError:  # no group was ever there: its coordinator is still being made
        return 0


def committed(admin: KafkaAdminClient, group: str, topic: str) -> dict[int, int]:
    """Committed offset by partition, for partitions that have one. Raises KafkaError."""
    try:
        offsets = admin.list_group_offsets(group).get(group, {})
    except CoordinatorNotAvailableError:
        return {}
    return {tp.partition: meta.offset for tp, meta in offsets.items() if tp.topic == topic and meta.offset >= 0}


def limits(admin: KafkaAdminClient, topic: str) -> tuple[dict[int, int], dict[int, int]]:
    """First and end offset by partition. Raises KafkaError."""
    partitions = [TopicPartition(topic, number) for number in range(topics()[topic].partitions)]
    first, end = (
        {tp.partition: found.offset for tp, found in admin.list_partition_offsets(dict.fromkeys(partitions, spec)).items()}
        for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST)
    )
    return first, end


def plan(offsets: Mapping[int, int], first: Mapping[int, int], ends: Mapping[int, int]) -> tuple[dict[int, int], Rewound]:
    """Where each partition is to be read from, and what that means. `first` and `ends` are the limits of the log, `offsets` the wish.

    A partition that is not in `offsets` is read from its beginning, as is one whose log ends before its offset: it is another log.
    """
    targets: dict[int, int] = {}
    lost = replaced = 0
    for partition, end in ends.items():
        begin, wish = first.get(partition, 0), offsets.get(partition, 0)
        if wish > end:
            replaced += 1
            wish = begin
        lost += max(0, begin - wish)
        targets[partition] = max(begin, wish)
    return targets, Rewound(sum(ends[partition] - target for partition, target in targets.items()), lost, replaced)


def commit(admin: KafkaAdminClient, group: str, topic: str, targets: Mapping[int, int]) -> None:
    """Make these the committed offsets. Raises GroupInUse when a worker has joined."""
    answers = admin.alter_group_offsets(
        group, {TopicPartition(topic, partition): OffsetAndMetadata(offset, "", -1) for partition, offset in targets.items()}
    )
    refused = {error.__name__ for error in answers.values() if error is not NoError}
    if refused:
        raise GroupInUse(f"the offsets of group {group} were not changed ({', '.join(sorted(refused))}): does a worker run?")
