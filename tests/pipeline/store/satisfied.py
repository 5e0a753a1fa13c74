"""A municipality with questionnaires of every kind in a real store, and its answers."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson
import yaml
from clickhouse_connect.driver.client import Client

from pipeline.answers import AnswerTuple
from pipeline.rows import NOTICES, answer_row
from pipeline.store.client import VIEWS, Connection
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from schemas import yamlfile
from schemas.organisation import Organisation
from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store.publishing import Given

SOURCE = "urn:nld:oin:00000000000000000000:systeem:enquete"
NOW = datetime.now(UTC).replace(microsecond=0)


def instrument(scale: Any, *aspects: str, version: int = 1, target: float | None = None, **fields: Any) -> dict[str, Any]:
    title = {"nl": "Vragen", "en": "Questions"}
    items = {aspect: {"title": {"nl": aspect, "en": aspect}, **({} if target is None else {"target": target})} for aspect in aspects}
    return {"version": version, "title": title, "scale": scale, "aspects": items, **fields}


def organisation(name: str, small_cell: int = 5, **fields: Any) -> str:
    """Its file."""
    grades = instrument("1-10", "overall", "ease", target=7.5)
    grades["aspects"]["expected"] = {"title": {"nl": "v", "en": "e"}, "expects": "overall"}
    document: dict[str, Any] = {
        "organisation": name,
        "title": {"nl": "Teststad", "en": "Test town"},
        "systems": {"enquete": {"sources": [SOURCE]}, "centrale": {"sources": [f"{SOURCE}-2"]}},
        "channels": {"telephone": {}, "counter": {}, "email": {}},
        "teams": {"Balie": {}, "Noord": {"parent": "Balie", "people": 2}, "Zuid": {"people": 4}, "Alleen": {"people": 1}},
        "instruments": {
            "q": [grades, instrument("1-10", "overall", version=2, target=7.5)],
            "csat": [instrument("1-5", "overall")],
            "nps": [instrument("0-10", "overall")],
            "ces": [instrument("1-7", "overall")],
            "faces": [instrument("smileys-5", "overall")],
            "helped": [instrument("yes-no", "overall")],
            "panel": [instrument("1-10", "overall", population="panel")],
            "coded": [instrument({"minimum": 0, "maximum": 1e12}, "overall")],
        },
        "small_cell": small_cell,
        "minimum_n": 5,
    }
    return yaml.safe_dump({**document, **fields})


class Town:
    """An organisation in the store, with a reader of its own: the board user."""

    def __init__(self, engine: ClickHouseEngine, text: str, readable: bool = True) -> None:
        settings = yamlfile.loads(text, Organisation, "tests")
        connection = Connection(engine.host, engine.http_port, engine.user, engine.password)
        migrate(connection)
        self.name = settings.organisation
        self.store = ClickHouseStore(connection, lambda _why: None)
        self.store.register(settings, text, 0, (engine.board_user,) if readable else (), epoch_ms(datetime.now(UTC)))
        self.owner = connection.open()
        self.board = Connection(engine.host, engine.http_port, engine.board_user, engine.board_password)
        self.reader: Client = self.board.open(VIEWS)
        self._versions = 0

    def answer(self, answers: Iterable[Given], contact: tuple[str, str] | None = None) -> None:
        """Store answers; the same name again is a later revision."""
        rows = []
        for one in answers:
            self._versions += 1
            data: dict[str, Any] = {
                "instrument": one.instrument, "version": one.version, "status": one.status, "items": one.grades, "wave": one.wave,
                "team": one.team, "product": one.product, "channel": one.channel, "invitation": f"invited-{one.name}",
            }  # fmt: skip
            if contact is not None:
                data |= {"contact": {"system": contact[0], "id": contact[1]}, "channel": ""}
            value: AnswerTuple = (self._versions, epoch_ms(one.logged or one.at), "d", epoch_ms(one.at), data)
            rows.append(answer_row((self.name, SOURCE, one.name), self._versions * 65_536, value, value[1], 1, self._versions))
        self.store.write({"survey_answers": rows})

    def contact(self, name: str, version: int = 1, **attributes: str) -> None:
        """A contact with no more than its attributes."""
        row = {"organisation": self.name, "system": "centrale", "contact": name, "version": version, "role": "counts", **attributes}
        self.owner.insert("contacts", [list(row.values())], column_names=list(row))

    def notice(self, kind: str, at: datetime, data: dict[str, Any], digest: str = "d") -> None:
        """A marker or an invitation."""
        named = data.get("invitation", data.get("marker"))
        row = [self.name, kind, SOURCE, f"{kind} {named} {at} {digest}", digest, at, at, orjson.dumps(data).decode()]
        self.owner.insert("notices", [row], column_names=list(NOTICES))

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """What the board user reads; {name} stands for the organisation's slug and {at} for now."""
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        return [tuple(row) for row in self.reader.query(sql.format(name=self.name, at=at)).result_rows]

    def close(self) -> None:
        self.owner.close()
        self.reader.close()
