"""Lives of contacts as plain facts, the events that tell of them, and a municipality in a real store that took those events in."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from clickhouse_connect.driver.client import Client

from connectors.protocol import WireEvent
from pipeline.assignment import Assignment
from pipeline.configured import Configured
from pipeline.decode import Record, decode
from pipeline.known import Known
from pipeline.rolling import Sums, minute_of
from pipeline.store.client import VIEWS, Connection
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from schemas import batch, yamlfile
from schemas.organisation import Organisation
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS
from schemas.types import epoch_ms
from tests.e2e.running import records_of
from tests.e2e.synthetic import event
from tests.engines import ClickHouseEngine

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PBX, DESK, MAIL = (f"urn:nld:oin:00000000000000000000:systeem:{name}" for name in ("pbx", "desk", "mail"))
SYSTEMS = {"telephone": ("pbx", PBX), "counter": ("desk", DESK), "email": ("mail", MAIL)}
SHOWN = {"Noord": "Balie", "Alleen": ""}
"""Small teams, and the team that they are shown as."""
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


def local(text: str) -> datetime:
    """A moment of Amsterdam, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).astimezone(UTC)


@dataclass
class Life:
    """What really happened with a contact. `callbacks`: asked for, called back; `closes`: closed, result, reopened."""

    name: str
    channel: str
    opened: datetime
    attributes: dict[str, Any] = field(default_factory=dict)
    queued: datetime | None = None
    answered: datetime | None = None
    abandoned: datetime | None = None
    left: tuple[datetime, str] | None = None
    responded: datetime | None = None
    transfers: list[tuple[datetime, str]] = field(default_factory=list)
    callbacks: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    closes: list[tuple[datetime, str, datetime | None]] = field(default_factory=list)
    paused: datetime | None = None

    @property
    def closed(self) -> datetime | None:
        """The last close, unless it was reopened."""
        return self.closes[-1][0] if self.closes and self.closes[-1][2] is None else None

    @property
    def result(self) -> str:
        return self.closes[-1][1] if self.closed else ""

    @property
    def out(self) -> datetime | None:
        """When it left the queue unanswered."""
        return self.abandoned or (self.left[0] if self.left else None)

    def of(self, dimension: str) -> str:
        """An attribute as it is shown; a confidential contact has none."""
        if not dimension or self.attributes.get("confidential"):
            return ""
        if dimension == "team":
            team = self.transfers[-1][1] if self.transfers else self.attributes.get("team", "")
            return SHOWN.get(team, team)
        return str(self.attributes.get(dimension, ""))

    def events(self) -> Iterator[WireEvent]:
        """What its system sends."""
        source = SYSTEMS[self.channel][1]

        def told(kind: str, at: datetime, **data: Any) -> WireEvent:
            return event(f"contact.{kind}", source, epoch_ms(at), {"contact": self.name, **data})

        yield told("opened", self.opened, channel=self.channel, **self.attributes)
        for kind in ("queued", "answered", "abandoned", "responded", "paused"):
            at = getattr(self, kind)
            if at is not None:
                yield told(kind, at)
        if self.left:
            yield told("left_queue", self.left[0], reason=self.left[1])
        for at, team in self.transfers:
            yield told("transferred", at, team=team)
        for asked, called in self.callbacks:
            yield told("callback_requested", asked)
            if called:
                yield told("called_back", called, reached=True)
        for closed, result, reopened in self.closes:
            yield told("closed", closed, **({"result": result} if result else {}))
            if reopened:
                yield told("reopened", reopened)


def lives(number: int, until: datetime, seed: int, days: int = 100) -> list[Life]:
    """Contacts of the days before `until`; what would happen later has not happened."""
    chance = random.Random(seed)
    made = (_life(f"c{position}", until - days * DAY * chance.random(), chance) for position in range(number))
    return [_known_at(life, until) for life in made]


def _life(name: str, opened: datetime, chance: random.Random) -> Life:
    opened = opened.replace(microsecond=opened.microsecond // 1000 * 1000)
    channel = chance.choice(["telephone", "telephone", "email", "counter"])
    life = Life(name, channel, opened, _attributes(name, chance))
    end = opened
    if channel != "email":
        life.queued = opened + SECOND
        out = opened + SECOND + timedelta(milliseconds=chance.randint(100, 120_000))
        ways = ["answered"] * 6 + ["abandoned", "left", "lost"]
        match chance.choice(ways):
            case "answered":
                life.answered = end = out
            case "abandoned":
                life.abandoned = out
            case "left":
                life.left = (out, chance.choice(["voicemail", "timeout"]))
        if not life.answered:
            if life.left and chance.random() < 0.8:
                life.callbacks.append((out, out + timedelta(hours=chance.randint(1, 60)) if chance.random() < 0.6 else None))
            return life
        end += timedelta(milliseconds=chance.randint(1_000, 900_000))
    else:
        end += timedelta(hours=chance.randint(1, 200))
        if chance.random() < 0.2:
            life.paused = opened + MINUTE
            return life
        life.responded = end
    if chance.random() < 0.2:
        life.transfers = [(opened + SECOND * 2, "Zuid"), (opened + SECOND * 3, "Noord")][: chance.randint(1, 2)]
    if chance.random() < 0.15:
        life.callbacks.append((end - SECOND, end + timedelta(hours=chance.randint(1, 60)) if chance.random() < 0.7 else None))
    if chance.random() < 0.9:
        result = chance.choice(["first_contact", "first_contact", "handled", ""])
        life.closes.append((end, result, None))
        if chance.random() < 0.1:
            life.closes = [(end, result, end + HOUR)] + ([(end + DAY, result, None)] if chance.random() < 0.7 else [])
    return life


def _attributes(name: str, chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "product": f"p{chance.randrange(4)}",
        "team": chance.choice(["Balie", "Noord", "Zuid", "Alleen", "Elders"]),
        "via": chance.choice(["phone", "web"]),
        "location": chance.choice(["stadhuis", "wijk"]),
        "segment": chance.choices(["burger", "ondernemer", "pers"], [80, 18, 2])[0],
        "link": f"zaak/{name}",
    }
    if chance.random() < 0.8:
        found["person"] = f"{chance.randrange(60):032x}"
    for optional in ("product", "team"):
        if chance.random() < 0.1:
            del found[optional]
    if chance.random() < 0.05:
        found["confidential"] = True
    return found


def _known_at(life: Life, until: datetime) -> Life:
    """The same contact as it is known at an instant: without what is still to come."""
    for kind in ("queued", "answered", "abandoned", "responded", "paused"):
        at = getattr(life, kind)
        if at is not None and at > until:
            setattr(life, kind, None)
    if life.left and life.left[0] > until:
        life.left = None
    life.transfers = [one for one in life.transfers if one[0] <= until]
    life.callbacks = [(asked, called if called and called <= until else None) for asked, called in life.callbacks if asked <= until]
    life.closes = [
        (closed, result, reopened if reopened and reopened <= until else None)
        for closed, result, reopened in life.closes
        if closed <= until
    ]
    return life


def municipality(name: str, **fields: Any) -> str:
    """Its file."""
    title = {"nl": "n", "en": "n"}
    norm: dict[str, Any] = {"title": title, "clock": "elapsed", "source": "invented", "start": "queued", "stop": "answered"}
    document: dict[str, Any] = {
        "organisation": name,
        "title": {"nl": "Meetstad", "en": "Measured town"},
        "inhabitants": 50_000,
        "systems": {system: {"sources": [source]} for system, source in SYSTEMS.values()} | {"crm": {"sources": [f"{PBX}-crm"]}},
        "channels": {"telephone": {"leading_system": "pbx"}, "counter": {"leading_system": "desk"}, "email": {}, "website": {}},
        "teams": {"Balie": {}, "Noord": {"parent": "Balie", "people": 2}, "Zuid": {"people": 4}, "Alleen": {"people": 1}},
        "norms": [
            {**norm, "id": "calls_45s", "applies_to": {"channels": ["telephone"]}, "threshold": "45s"},
            {**norm, "id": "mail_4d", "applies_to": {"channels": ["email"]}, "threshold": "96h", "start": "opened", "stop": "responded"},
            {**norm, "id": "back_24h", "applies_to": {"channels": ["telephone", "counter", "email"]}, "threshold": "24h",
             "start": "callback_requested", "stop": "called_back"},
            {**norm, "id": "mean_60s", "applies_to": {"channels": ["telephone"]}, "threshold": "60s", "statistic": "mean"},
            {**norm, "id": "max_100s", "applies_to": {"channels": ["counter"]}, "threshold": "100s", "statistic": "max"},
        ],
        "link_template": "https://zaken.voorbeeld.example/{link}",
    }  # fmt: skip
    return yaml.safe_dump({**document, **fields})


class Measured:
    """A municipality whose events went through the core into the store, read by a user of its own."""

    def __init__(self, engine: ClickHouseEngine, text: str, readable: bool = True) -> None:
        connection = Connection(engine.host, engine.http_port, engine.user, engine.password)
        migrate(connection)
        self.settings = yamlfile.loads(text, Organisation, "test")
        self.name = self.settings.organisation
        self._store = ClickHouseStore(connection, lambda _why: None)
        self._store.register(self.settings, text, 0, ("board",) if readable else (), epoch_ms(datetime.now(UTC)))
        self._configured = {self.name: Configured.of(self.settings)}
        self.reader: Client = Connection(engine.host, engine.http_port, engine.board_user, engine.board_password).open(VIEWS)

    def take_in(self, events: Iterable[WireEvent]) -> None:
        """Once a test: the events go through the pure core, and its rows into the store."""
        now = epoch_ms(datetime.now(UTC))
        state = Assignment(1, {}, self._configured, {self.name: Sums(minute_of(now))}, Known.none(), Known.none())
        found = [
            decode(
                Record(CONTACT_EVENTS, partition_of(self.name), offset, now, self.name.encode(), value, batch.headers(self.name)),
                self._configured,
            )
            for offset, value in enumerate(records_of(list(events), 500))
        ]
        assert not [reject.message for one in found for reject in one.rejects]
        self._store.write(state.apply(found).tables)

    def rows(self, view: str, columns: str = "*", **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a view of this municipality as the reader gets them; moments are written in UTC."""
        arguments = ", ".join(
            f"{name} = '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'" if isinstance(value, datetime) else f"{name} = '{value}'"
            for name, value in {"organisation": self.name, **parameters}.items()
        )
        return [dict(row) for row in self.reader.query(f"SELECT {columns} FROM {view}({arguments})").named_results()]

    def close(self) -> None:
        self.reader.close()
