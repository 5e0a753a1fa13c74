"""Rejects as their owner reads them: of every organisation, also of those that nobody knows, with their originals and what was decided."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.replay import Place, StoredReject
from pipeline.store import audit
from pipeline.store.client import Connection, passing_errors
from schemas import yamlfile
from schemas.organisation import Organisation

PAGE = 500
"""Rejects read at once, each with up to 64 KB of its original."""
_GIVEN = "({topic:String}, {partition:UInt32}, {offset:Int64}, {position:Int16})"
_PLACE = ("topic", "partition", "offset", "position")
_CHOSEN = """
(organisation = {organisation:String} OR {organisation:String} = '') AND (reason = {reason:String} OR {reason:String} = '')
AND (source = {source:String} OR {source:String} = '') AND appended_at >= {since:DateTime64(3, 'UTC')} AND (decision = '' OR {all:UInt8})
"""
_REJECT = """
SELECT topic, partition, offset, position, organisation, reason, source, connector, path, message, size, toString(sha256), original,
    appended_at, decision, decided_at, decided_by, because
FROM decided_rejects
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rejects: "" is any. `since` is when Kafka took them. Those about which nothing was decided, unless `decided`."""

    organisation: str = ""
    reason: str = ""
    source: str = ""
    since: datetime | None = None
    decided: bool = False

    def parameters(self) -> dict[str, Any]:
        """As `_CHOSEN` takes them."""
        since = (self.since or datetime(1970, 1, 1, tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        return {
            "organisation": self.organisation, "reason": self.reason, "source": self.source, "since": since, "all": int(self.decided),
        }  # fmt: skip


class Group(NamedTuple):
    """Rejects of one organisation, reason, source and connector. `message` and `place` are those of the last one."""

    organisation: str
    reason: str
    source: str
    connector: str
    rejects: int
    last: datetime
    message: str
    place: Place


class Rejects:
    """The rejects and what is decided about them. Every method raises Unavailable."""

    def __init__(self, connection: Connection) -> None:
        self._client: Client = connection.open()

    def groups(self, choice: Choice) -> list[Group]:
        """The chosen ones by organisation, reason, source and connector, the most frequent first."""
        sql = f"""SELECT organisation, reason, source, connector, count() AS rejects, max(appended_at), argMax(message, appended_at),
                      argMax((topic, partition, offset, position), appended_at)
                  FROM decided_rejects WHERE {_CHOSEN} GROUP BY organisation, reason, source, connector
                  ORDER BY organisation, rejects DESC, reason, source, connector"""
        return [
            Group(organisation, reason, source, connector, count, _aware(last), message, Place(*place))
            for organisation, reason, source, connector, count, last, message, place in self._rows(sql, choice.parameters())
        ]

    def last(self, choice: Choice, limit: int) -> list[StoredReject]:
        """The chosen ones that came last, newest first."""
        sql = f"{_REJECT} WHERE {_CHOSEN} ORDER BY appended_at DESC, topic, partition, offset DESC, position DESC LIMIT {{limit:UInt32}}"
        return [_reject(row) for row in self._rows(sql, {**choice.parameters(), "limit": limit})]

    def one(self, place: Place) -> StoredReject | None:
        """The reject of an id; None when there is none (any more)."""
        sql = f"{_REJECT} WHERE (topic, partition, offset, position) = {_GIVEN}"
        return next((_reject(row) for row in self._rows(sql, place._asdict())), None)

    def pages(self, choice: Choice) -> Iterator[list[StoredReject]]:
        """The chosen ones in the order of the topic, PAGE at a time; none that is added after the first was read."""
        ((last,),) = self._rows(f"SELECT max(appended_at) FROM decided_rejects WHERE {_CHOSEN}", choice.parameters())
        parameters = {**choice.parameters(), "until": last.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], "limit": PAGE}
        after = Place("", 0, 0, 0)
        while True:
            sql = f"""{_REJECT} WHERE {_CHOSEN} AND appended_at <= {{until:DateTime64(3, 'UTC')}}
                      AND (topic, partition, offset, position) > {_GIVEN}
                      ORDER BY topic, partition, offset, position LIMIT {{limit:UInt32}}"""
            page = [_reject(row) for row in self._rows(sql, {**parameters, **after._asdict()})]
            if not page:
                return
            yield page
            after = page[-1].place

    def decide(self, places: Sequence[Place], decision: str, at_ms: int, by: str, because: str) -> None:
        """Store what was decided about rejects."""
        with passing_errors("deciding about rejects"):
            self._client.insert(
                "reject_decisions", [[*place, decision, at_ms, by, because] for place in places],
                column_names=[*_PLACE, "decision", "decided_at", "decided_by", "because"],
            )  # fmt: skip

    def note(self, at_ms: int, organisation: str, actor: str, action: str, detail: str) -> None:
        """See audit.note."""
        audit.note(self._client, at_ms, organisation, actor, action, detail)

    def open_by_organisation(self) -> dict[str, int]:
        """How many rejects wait for a decision, by the organisation that they claim."""
        rows = self._rows("SELECT organisation, count() FROM decided_rejects WHERE decision = '' GROUP BY organisation ORDER BY 1", {})
        return {organisation: int(count) for organisation, count in rows}

    def system_of(self, organisation: str, source: str) -> str:
        """The system for which a source speaks by the configuration in force; "" when it speaks for none."""
        sql = "SELECT configuration FROM organisations FINAL WHERE organisation = {organisation:String}"
        for (text,) in self._rows(sql, {"organisation": organisation}):
            return yamlfile.loads(text, Organisation, f"stored configuration of {organisation}").system_of_source().get(source, "")
        return ""

    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        with passing_errors("reading the rejects"):
            return list(self._client.query(sql, parameters=dict(parameters)).result_rows)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _reject(row: Sequence[Any]) -> StoredReject:
    topic, partition, offset, position, *sent, appended_at, decision, decided_at, decided_by, because = row
    decided = None if decided_at is None else _aware(decided_at)
    place = Place(topic, partition, offset, position)
    return StoredReject(place, *sent, _aware(appended_at), decision, decided, decided_by, because)  # type: ignore[call-arg]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
