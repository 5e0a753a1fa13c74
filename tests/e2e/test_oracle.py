"""Hundreds of random lives through Kafka, a worker that is killed, and ClickHouse: every row and every sum is what the oracle expects.

Links between systems, answers, pauses, forgotten and confidential contacts, duplicates, conflicts and refusals, in any order. The oracle
(tests/oracle) shares no code with the product and knows nothing of batches, crashes and stores.
"""

import json
import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from tests.e2e.running import Stack, records_of, wait_until
from tests.oracle.days import instant
from tests.oracle.figures import Expected, expected
from tests.oracle.lives import BEGINNINGS, DAY, MINUTE
from tests.oracle.rows import disagreements
from tests.oracle.seeded import municipality
from tests.oracle.towns import MOODS

SIZE, LIVES, YEAR = 7, 120, 364 * DAY
"""Events a record, groups of lives an organisation, and the days after which weekdays and changes of the clock come again."""


def test_every_row_and_every_sum_is_the_oracles(stack: Stack) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    chance = random.Random(4)
    sent = {}
    for seed, mood in enumerate(MOODS):
        name = f"orakel-{seed}"
        begins = [chance.choice(BEGINNINGS) - YEAR if chance.random() < 0.6 else now - chance.randrange(60 * DAY) for _ in range(LIVES)]
        document, events = municipality(name, mood, begins, seed)
        # What is just too late to be refused, or just too early, depends on when Kafka takes it.
        sent[name] = document, [event for event in events if not now < latest(event) < now + 30 * MINUTE]
        stack.add_organisation(name, json.dumps(document))
    worker = stack.worker(BATCH_BYTES="4000", CONTACTS_IN_MEMORY="50").wait_ready()
    positions = {name: stack.produce(name, records_of(events, SIZE)) for name, (_, events) in sent.items()}
    wait_until(lambda: any(stack.count("contacts", name) for name in sent), "something to be stored", every=0.01)
    worker.kill()
    assert stack.lag(), "the worker was done already when it was killed"
    worker = stack.worker(BATCH_BYTES="20000")
    wait_until(lambda: worker.ready() and stack.lag() == 0, "everything to be stored and committed")

    seen: Counter[str] = Counter()
    for name, (document, events) in sent.items():
        oracle = expected([(event, now) for event in events], document)
        check(stack, name, oracle, positions[name])
        stack.check_live(name)
        seen.update(contact.role for contact in oracle.contacts.values())
        seen["confidential"] += sum(contact.confidential for contact in oracle.contacts.values())
    assert {"counts", "enriches", "unlinked", "withdrawn", "forgotten", "confidential"} <= (+seen).keys(), seen
    assert worker.metric("contactmeter_mismatches") == 0
    assert worker.stop()


def latest(event: dict[str, Any]) -> int:
    """The later of when it happened and when it was logged."""
    return max(instant(event["time"]), instant(event["data"]["occurred_at"]))


def check(stack: Stack, name: str, oracle: Expected, positions: list[tuple[int, int]]) -> None:
    """What is stored of an organisation, of which the records of SIZE events were appended at `positions`."""
    number = {offset: index for index, (_, offset) in enumerate(positions)}
    rejects = stack.query("SELECT offset, position, reason FROM rejects FINAL WHERE organisation = {name:String}", name=name)
    refused = {number[offset] * SIZE + position: reason for offset, position, reason in rejects}
    assert refused.keys() == oracle.refused.keys()
    assert all(reason in oracle.refused[position] for position, reason in refused.items())
    contacts = {(row["system"], row["contact"]): row for row in rows(stack, "contacts", name)}
    answers = {(row["source"], row["answer"]): row for row in rows(stack, "survey_answers", name)}
    wrong = disagreements(oracle, contacts, answers)
    assert not wrong, "\n".join(wrong)
    sums = stack.query(
        "SELECT channel, measure, minute, sum(n), sum(total), sum(squares) FROM contributions_of(organisations = [{name:String}])"
        " GROUP BY ALL",
        name=name,
    )
    assert {(channel, measure, minute): (n, total, squares) for channel, measure, minute, n, total, squares in sums} == oracle.minutes()


def rows(stack: Stack, table: str, name: str) -> list[dict[str, Any]]:
    """Everything stored of an organisation, by column name."""
    columns = [column for (column, *_) in stack.query(f"DESCRIBE TABLE {table}")]
    found = stack.query(
        f"SELECT {', '.join(f'`{column}`' for column in columns)} FROM {table} FINAL WHERE organisation = {{name:String}}", name=name
    )
    return [dict(zip(columns, row, strict=True)) for row in found]
