"""What a worker reads: the state of its partitions at assignment, and look-ups of contacts and answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.external import ExternalData

from pipeline.answers import StoredAnswer
from pipeline.contributions import Judged
from pipeline.decode import AnswerKey, ContactKey
from pipeline.held import StoredContact
from pipeline.known import Hashes
from pipeline.norms import Outcome
from pipeline.rolling import LONGEST, Sums
from pipeline.rows import answers_of, events_of, links_of
from pipeline.store.client import passing_errors
from pipeline.store.rowbinary import Reader
from pipeline.versions import GENERATIONS

_CONTACTS = """
SELECT organisation, system, contact, version, timeline, links, answers, confidential, channel,
    toUnixTimestamp64Milli(opened_at), toUnixTimestamp64Milli(answered_at), toUnixTimestamp64Milli(abandoned_at), wait_ms, role,
    `outcomes.norm`, `outcomes.version`, arrayMap(at -> toUnixTimestamp64Milli(at), `outcomes.start`),
    arrayMap(at -> toUnixTimestamp64Milli(at), `outcomes.deadline`), arrayMap(at -> toUnixTimestamp64Milli(at), `outcomes.stop`),
    arrayMap(at -> toUnixTimestamp64Milli(at), `outcomes.judged_at`), `outcomes.excluded`, `outcomes.measured`,
    toUnixTimestamp64Milli(appended_at), writer, offset
FROM contacts FINAL WHERE (organisation, system, contact) IN (SELECT organisation, system, contact FROM keys)
"""
_ANSWERS = """
SELECT organisation, source, answer, version, forgotten, revision, toUnixTimestamp64Milli(logged_at), digest,
    toUnixTimestamp64Milli(answered_at), instrument, instrument_version, status, channel, product, team, location, segment, wave,
    invitation, contact_system, contact, aspects, grades, has_comment, toUnixTimestamp64Milli(appended_at),
    writer, offset
FROM survey_answers FINAL WHERE (organisation, source, answer) IN (SELECT organisation, source, answer FROM keys)
"""
_CONTRIBUTIONS = """
SELECT organisation, channel, measure, groupArray(minute), groupArray(n), groupArray(total), groupArray(squares)
FROM contributions_between(
    organisations = {organisations:Array(String)},
    since = fromUnixTimestamp64Milli({oldest:Int64} * 60000, 'UTC'), until = toDateTime64('2299-12-31 23:59:59', 3, 'UTC')
)
GROUP BY organisation, channel, measure FORMAT RowBinary
"""
_AT_ONCE = 10
"""Organisations read by one query: 36 bytes a contribution of four weeks, 8 a key, in the server's memory and then in ours."""
_KEYS = {"contacts": ("organisation", "system", "contact"), "survey_answers": ("organisation", "source", "answer")}
_JUDGED_BEFORE = f"version % {GENERATIONS} < {{generation:UInt32}}"
_OLDER = """
SELECT {key} FROM {table} FINAL
WHERE organisation = {{organisation:String}} AND {older} AND NOT forgotten LIMIT {{limit:UInt32}}
"""
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


def naming(client: Client, starts: Mapping[str, int]) -> list[tuple[AnswerKey, ContactKey]]:
    """(answer, contact that it names) of the answers that were written at or past their organisation's start offset.

    Their contact may not know of them yet: it is written after them. To be read before the sums. Raises Unavailable.
    """
    if not starts:
        return []
    with passing_errors("reading the unacknowledged answers"):
        rows = client.query(
            "SELECT DISTINCT organisation, source, answer, contact_system, contact FROM survey_answers "
            "WHERE organisation IN {organisations:Array(String)} AND contact != '' "
            "AND offset >= transform(organisation, {organisations:Array(String)}, {starts:Array(Int64)}, 0)",
            parameters={"organisations": list(starts), "starts": list(starts.values())},
        ).result_rows
    return [((name, source, answer), (name, system, contact)) for name, source, answer, system, contact in rows]


def sums(client: Client, organisations: Sequence[str], as_of: int) -> dict[str, Sums]:
    """The sums of organisations at `as_of` (minutes), computed from the stored contacts and answers. Future deadlines come along.

    Never from sums that a worker wrote: of those only the names are used, so that a series that has become empty while no worker ran is
    written as such. Raises Unavailable.
    """
    if not organisations:
        return {}
    loaded = {organisation: Sums(as_of) for organisation in organisations}
    with passing_errors("computing the sums"):
        for some in _several(organisations):
            read = Reader(client.raw_query(_CONTRIBUTIONS, parameters={"organisations": some, "oldest": as_of - LONGEST}))
            while read:
                organisation, key = read.string(), (read.string(), read.string())
                loaded[organisation].fill(key, read.int64s(), read.int64s(), read.int64s(), read.int128s())
        shown = client.query(_LAST, parameters={"organisations": list(organisations)}).result_rows
    for organisation, channel, measure in shown:
        loaded[organisation].expect([(channel, measure)])
    return loaded


def hashes(client: Client, table: str, organisations: Sequence[str]) -> Hashes:
    """The 64-bit hashes of every stored key of `contacts` or `survey_answers`; the server computes them. Raises Unavailable."""
    if not organisations:
        return np.array([], dtype=np.uint64)
    # Rows replaced and not merged away yet come twice. The server would need a table in its memory to tell; sorted, they are neighbours.
    sql = (
        f"SELECT xxh3(concatWithSeparator(char(0), {', '.join(_KEYS[table])})) FROM {table} "
        "WHERE organisation IN {organisations:Array(String)} FORMAT RowBinary"
    )
    with passing_errors(f"reading the keys of {table}"):
        answers = (client.raw_query(sql, parameters={"organisations": some}) for some in _several(organisations))
        found = np.sort(np.concatenate([np.frombuffer(answer, dtype="<u8") for answer in answers]))
    return found[np.append(True, found[1:] != found[:-1])] if len(found) else found


def _several(organisations: Sequence[str]) -> Iterator[list[str]]:
    """So few at once that an answer fits in the memory of both sides."""
    for first in range(0, len(organisations), _AT_ONCE):
        yield list(organisations[first : first + _AT_ONCE])


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


def now(client: Client) -> float:
    """The server's clock, in epoch seconds. Raises Unavailable."""
    with passing_errors("asking the time"):
        return float(client.query("SELECT toUnixTimestamp(now())").result_rows[0][0])


def written_by_others(client: Client, organisation: str, writer: int, since: float) -> bool:
    """Whether another assignment wrote rows of an organisation since a moment by the server's clock. Raises Unavailable."""
    with passing_errors("looking for other writers"):
        for table in _KEYS:
            sql = f"""SELECT 1 FROM {table} WHERE organisation = {{organisation:String}} AND writer != {{writer:UInt64}}
                      AND stored_at >= toDateTime({{since:UInt32}}) LIMIT 1"""
            if client.query(sql, parameters={"organisation": organisation, "writer": writer, "since": int(since)}).result_rows:
                return True
    return False


def older(client: Client, table: str, organisation: str, generation: int, limit: int) -> list[tuple[str, str, str]]:
    """Keys of rows of `contacts` or `survey_answers` that were judged by an older generation of the configuration. Raises Unavailable."""
    sql = _OLDER.format(table=table, key=", ".join(_KEYS[table]), older=_JUDGED_BEFORE)
    parameters = {"organisation": organisation, "generation": generation, "limit": limit}
    with passing_errors(f"looking for rows of {table} of an older generation"):
        return [(name, second, third) for name, second, third in client.query(sql, parameters=parameters).result_rows]


def count_older(client: Client, table: str, organisation: str, generation: int) -> int:
    """How many rows there are that `older` would find. Raises Unavailable."""
    sql = f"""SELECT count() FROM {table} FINAL
              WHERE organisation = {{organisation:String}} AND {_JUDGED_BEFORE} AND NOT forgotten"""
    with passing_errors(f"counting rows of {table} of an older generation"):
        found: int = client.query(sql, parameters={"organisation": organisation, "generation": generation}).result_rows[0][0]
    return found


def pages(client: Client, table: str, organisation: str, size: int) -> Iterator[list[tuple[str, str, str]]]:
    """All keys of an organisation in `contacts` or `survey_answers`, in order, so many at a time. Raises Unavailable."""
    key, (_, second, third) = ", ".join(_KEYS[table]), _KEYS[table]
    after = ("", "")
    while True:
        with passing_errors(f"reading the keys of {table}"):
            rows = client.query(
                f"SELECT DISTINCT {key} FROM {table} WHERE organisation = {{organisation:String}} "
                f"AND ({second}, {third}) > ({{second:String}}, {{third:String}}) ORDER BY {key} LIMIT {{size:UInt32}}",
                parameters={"organisation": organisation, "second": after[0], "third": after[1], "size": size},
            ).result_rows
        if not rows:
            return
        yield [(name, first, last) for name, first, last in rows]
        after = (rows[-1][1], rows[-1][2])


def _contact(row: Sequence[Any]) -> StoredContact:
    organisation, system, contact, version, timeline, links, answers, confidential, *rest = row
    channel, opened, answered, abandoned, wait, role, *outcomes, appended_at, writer, offset = rest
    judged = Judged(channel, opened, answered, abandoned, wait, role, tuple(map(Outcome._make, zip(*outcomes, strict=True))))
    return StoredContact(
        (organisation, system, contact),
        version,
        events_of(timeline),
        links_of(links),
        answers_of(answers),
        bool(confidential),
        appended_at,
        judged,
        writer,
        offset,
    )


def _answer(row: Sequence[Any]) -> StoredAnswer:
    organisation, source, answer, version, forgotten, revision, logged_at, digest, answered_at, *rest = row
    *told, appended_at, writer, offset = rest
    key = (organisation, source, answer)
    if forgotten:
        return StoredAnswer(key, version, None, appended_at, writer, offset)
    instrument, number, status, *texts, system, contact, aspects, grades, has_comment = told
    data = {"instrument": instrument, "version": number, "status": status}
    data |= {name: text for name, text in zip(_TEXTS, texts, strict=True) if text}
    if contact:
        data["contact"] = {"system": system, "id": contact}
    data["items"] = {aspect: grade / 1000 for aspect, grade in zip(aspects, grades, strict=True)}
    if has_comment:
        data["has_comment"] = True
    return StoredAnswer(key, version, (revision, logged_at, digest, answered_at, data), appended_at, writer, offset)


_TEXTS = ("channel", "product", "team", "location", "segment", "wave", "invitation")
