"""What a worker reads: the state of its partitions at assignment, and look-ups of contacts and answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.external import ExternalData

from pipeline.assignment import StoredAnswer, StoredContact
from pipeline.contributions import Judged
from pipeline.decode import AnswerKey, ContactKey
from pipeline.known import Hashes
from pipeline.norms import Outcome
from pipeline.rolling import LONGEST, Delta, Sums
from pipeline.rows import events_of
from pipeline.store.client import passing_errors

_CONTACTS = """
SELECT organisation, system, contact, version, timeline, channel, toUnixTimestamp64Milli(opened_at), toUnixTimestamp64Milli(answered_at),
    toUnixTimestamp64Milli(abandoned_at), wait_ms, withdrawn, `outcomes.norm`, `outcomes.version`,
    arrayMap(at -> toUnixTimestamp64Milli(at), `outcomes.start`), arrayMap(at -> toUnixTimestamp64Milli(at), `outcomes.deadline`),
    arrayMap(at -> toUnixTimestamp64Milli(at), `outcomes.stop`), arrayMap(at -> toUnixTimestamp64Milli(at), `outcomes.judged_at`),
    `outcomes.excluded`, writer, offset
FROM contacts FINAL WHERE (organisation, system, contact) IN (SELECT organisation, system, contact FROM keys)
"""
_ANSWERS = """
SELECT organisation, source, answer, version, revision, toUnixTimestamp64Milli(logged_at), digest, toUnixTimestamp64Milli(answered_at),
    instrument, instrument_version, channel, aspects, grades, writer, offset
FROM survey_answers FINAL WHERE (organisation, source, answer) IN (SELECT organisation, source, answer FROM keys)
"""
_SUMS = """
SELECT organisation, channel, measure, minute, sum(n), sum(total), sum(squares) FROM contributions
WHERE organisation IN {organisations:Array(String)} AND minute > {oldest:Int64} GROUP BY organisation, channel, measure, minute
"""
_KEYS = {"contacts": ("organisation", "system", "contact"), "survey_answers": ("organisation", "source", "answer")}
_LAST = "SELECT organisation, channel, measure FROM rolling_last FINAL WHERE organisation IN {organisations:Array(String)} AND n != 0"


def unacknowledged(client: Client, table: str, starts: Mapping[str, int]) -> dict[tuple[str, str, str], int]:
    """The version of every row of `contacts` or `survey_answers` that was written at or past its organisation's start offset.

    To be read before the sums: what stands here stands in them. Raises Unavailable.
    """
    if not starts:
        return {}
    key = ", ".join(_KEYS[table])
    with passing_errors(f"reading the unacknowledged rows of {table}"):
        rows = client.query(
            f"SELECT {key}, max(version) FROM {table} WHERE organisation IN {{organisations:Array(String)}} "
            f"AND offset >= transform(organisation, {{organisations:Array(String)}}, {{starts:Array(Int64)}}, 0) GROUP BY {key}",
            parameters={"organisations": list(starts), "starts": list(starts.values())},
        ).result_rows
    return {(organisation, second, third): version for organisation, second, third, version in rows}


def sums(client: Client, organisations: Sequence[str], as_of: int) -> dict[str, Sums]:
    """The sums of organisations at `as_of` (minutes), computed from the stored contacts and answers. Future deadlines come along.

    Never from sums that a worker wrote: of those only the names are used, so that a series that has become empty while no worker ran is
    written as such. Raises Unavailable.
    """
    if not organisations:
        return {}
    found: dict[str, list[Delta]] = {organisation: [] for organisation in organisations}
    with passing_errors("computing the sums"):
        parameters = {"organisations": list(organisations), "oldest": as_of - LONGEST}
        for organisation, *contribution in client.query(_SUMS, parameters=parameters).result_rows:
            found[organisation].append(tuple(contribution))
        shown = client.query(_LAST, parameters=parameters).result_rows
    loaded = {organisation: Sums.load(as_of, contributions) for organisation, contributions in found.items()}
    for organisation, channel, measure in shown:
        loaded[organisation].expect([(channel, measure)])
    return loaded


def hashes(client: Client, table: str, organisations: Sequence[str]) -> Hashes:
    """The 64-bit hashes of every stored key of `contacts` or `survey_answers`; the server computes them. Raises Unavailable."""
    if not organisations:
        return np.array([], dtype=np.uint64)
    joined = ", char(0), ".join(f"toString({column})" for column in _KEYS[table])
    with passing_errors(f"reading the keys of {table}"):
        raw = client.raw_query(
            f"SELECT DISTINCT xxh3(concat({joined})) FROM {table} WHERE organisation IN {{organisations:Array(String)}} FORMAT RowBinary",
            parameters={"organisations": list(organisations)},
        )
    return np.frombuffer(raw, dtype="<u8").astype(np.uint64)


def contacts(client: Client, keys: Sequence[ContactKey]) -> list[StoredContact]:
    """The stored contacts among `keys`. Raises Unavailable."""
    return [_contact(row) for row in _look_up(client, _CONTACTS, ("organisation", "system", "contact"), keys)]


def answers(client: Client, keys: Sequence[AnswerKey]) -> list[StoredAnswer]:
    """The stored answers among `keys`. Raises Unavailable."""
    return [_answer(row) for row in _look_up(client, _ANSWERS, ("organisation", "source", "answer"), keys)]


def _look_up(client: Client, sql: str, names: tuple[str, ...], keys: Sequence[tuple[str, str, str]]) -> Iterator[Sequence[Any]]:
    """Keys travel as external data: as SQL text some thousands would exceed the size of a query."""
    if not keys:
        return
    external = ExternalData(
        file_name="keys", data=b"\n".join(map(orjson.dumps, keys)), fmt="JSONCompactEachRow", structure=[f"{name} String" for name in names]
    )
    with passing_errors(f"looking up {len(keys)} keys"):
        yield from client.query(sql, external_data=external).result_rows


def _contact(row: Sequence[Any]) -> StoredContact:
    organisation, system, contact, version, timeline, channel, opened, answered, abandoned, wait, withdrawn, *outcomes, writer, offset = row
    judged = Judged(channel, opened, answered, abandoned, wait, bool(withdrawn), tuple(map(Outcome._make, zip(*outcomes, strict=True))))
    return StoredContact((organisation, system, contact), version, events_of(timeline), judged, writer, offset)


def _answer(row: Sequence[Any]) -> StoredAnswer:
    (
        organisation,
        source,
        answer,
        version,
        revision,
        logged_at,
        digest,
        answered_at,
        instrument,
        number,
        channel,
        aspects,
        grades,
        writer,
        offset,
    ) = row
    items = {aspect: grade / 1000 for aspect, grade in zip(aspects, grades, strict=True)}
    data = {"instrument": instrument, "version": number, "channel": channel, "items": items}
    return StoredAnswer((organisation, source, answer), version, (revision, logged_at, digest, answered_at, data), writer, offset)
