"""Municipalities that see their own boards only: for each a ClickHouse user and a Grafana organisation, as files beside docker-compose.yml.

Everything is made out of what the repository has for all of them together: the user `board` of users.xml, the data source, the folders,
the boards and the alert rules. Nothing here holds a password: each stands in the environment.
"""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from schemas.errors import InvalidConfiguration
from schemas.types import Slug

COMPOSE = Path("docker-compose.yml")
_USERS = Path("deploy/compose/clickhouse/users.xml")
_PROVISIONING = Path("deploy/compose/grafana/provisioning")
_GENERATED = Path("dashboards/generated")
_CLICKHOUSE = "contactmeter"
"""The uid of the data source that boards and rules ask."""
_BOARDS = "/etc/contactmeter/readers"
_TAKEN = {"app", "board", "default"}

UserName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Reader(BaseModel):
    """One Grafana organisation with its ClickHouse user: a municipality, or a service centre of several.

    grafana: the number of the Grafana organisation, which must be there already; 1 is the one that sees everybody.
    organisations: what it may read. alerts: whether it has alert rules of its own (else those of Grafana's first organisation serve it).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    grafana: Annotated[int, Field(ge=2)]
    organisations: Annotated[tuple[Slug, ...], Field(min_length=1)]
    alerts: bool = False


class Readers(BaseModel):
    """A file that says who reads what: ClickHouse user -> reader."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    readers: Annotated[dict[UserName, Reader], Field(min_length=1)]

    @field_validator("readers")
    @classmethod
    def _apart(cls, readers: dict[str, Reader]) -> dict[str, Reader]:
        for name in sorted(_TAKEN & readers.keys()):
            raise ValueError(f"{name} is a user of the product itself; choose another name")
        by_number: dict[int, str] = {}
        for name, reader in readers.items():
            other = by_number.setdefault(reader.grafana, name)
            if other != name:
                raise ValueError(f"{other} and {name} have Grafana organisation {reader.grafana} both: they would see each other's boards")
        return readers


def password_variable(user: str) -> str:
    """The variable in .env that holds the password of a user."""
    return f"READER_{user.upper()}_PASSWORD"


def files(root: Path, readers: Mapping[str, Reader], place: str) -> dict[str, str]:
    """The files to write, by path below `place`: `compose.yml`, which adds the others to docker-compose.yml, and those it mounts.

    root: the repository. place: where the files will stand, as docker-compose.yml names it (`./deploy/compose/readers`).
    Raises InvalidConfiguration when `root` is not the repository.
    """
    if not (root / COMPOSE).is_file() or not (root / _USERS).is_file():
        raise InvalidConfiguration(f"{root}: there is no {COMPOSE} with what belongs to it; run this in the directory of the repository")
    found = {
        "clickhouse.xml": _users(root, readers),
        "datasources.yml": _yaml({"apiVersion": 1, "datasources": [_datasource(root, *item) for item in readers.items()]}),
        "dashboards.yml": _yaml({"apiVersion": 1, "providers": [one for item in readers.items() for one in _folders(root, *item)]}),
    }
    for path in sorted((root / _GENERATED / "boards").glob("*/*.json")):
        text = path.read_text(encoding="utf-8")
        if f'"{_CLICKHOUSE}-prometheus"' not in text:  # the metrics of the pipeline are of all municipalities together
            found[f"boards/{path.parent.name}/{path.name}"] = text
    for path in sorted((root / _GENERATED / "alerting" / "grafana").glob("*.y*ml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        found |= {f"alerting/{user}-{path.name}": _yaml(_moved(document, one.grafana)) for user, one in readers.items() if one.alerts}
    return found | {"compose.yml": _compose(readers, place, [name for name in found if name.startswith("alerting/")])}


def _users(root: Path, readers: Mapping[str, Reader]) -> str:
    board = ElementTree.parse(root / _USERS).find("users/board")
    assert board is not None
    top = ElementTree.Element("clickhouse")
    users = ElementTree.SubElement(top, "users")
    for name in readers:
        user = copy.deepcopy(board)
        user.tag = name
        password = user.find("password")
        assert password is not None
        password.set("from_env", password_variable(name))
        users.append(user)
    ElementTree.indent(top)
    return ElementTree.tostring(top, encoding="unicode") + "\n"


def _datasource(root: Path, user: str, reader: Reader) -> dict[str, Any]:
    document = yaml.safe_load((root / _PROVISIONING / "datasources/contactmeter.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(one for one in document["datasources"] if one["uid"] == _CLICKHOUSE)
    found["jsonData"]["username"] = user
    return found | {"orgId": reader.grafana, "secureJsonData": {"password": f"${password_variable(user)}"}}


def _folders(root: Path, user: str, reader: Reader) -> Iterator[dict[str, Any]]:
    document = yaml.safe_load((root / _PROVISIONING / "dashboards/contactmeter.yml").read_text(encoding="utf-8"))
    for provider in document["providers"]:
        language = Path(provider["options"]["path"]).name
        yield provider | {
            "name": f"{provider['name']}-{user}",
            "orgId": reader.grafana,
            "options": {"path": f"{_BOARDS}/boards/{language}"},
        }


def _moved(document: dict[str, Any], number: int) -> dict[str, Any]:
    """A file of alert rules, contact points or policies for another Grafana organisation."""
    return {
        key: [{**one, "orgId": number} for one in value] if isinstance(value, list) else value
        for key, value in document.items()
    }  # fmt: skip


def _compose(readers: Mapping[str, Reader], place: str, alerting: list[str]) -> str:
    passwords = {name: f"${{{name}:?set it in .env}}" for name in map(password_variable, readers)}
    provisioning = {"datasources.yml": "datasources/readers.yml", "dashboards.yml": "dashboards/readers.yml"} | {
        name: name for name in alerting
    }
    grafana = {
        "environment": {
            **passwords,
            # Who has no organisation of their own must not land in the first one, which sees everybody.
            "GF_USERS_AUTO_ASSIGN_ORG_ROLE": "None",
        },
        "volumes": [
            f"{place}/boards:{_BOARDS}/boards:ro",
            *(f"{place}/{source}:/etc/grafana/provisioning/{target}:ro" for source, target in provisioning.items()),
        ],
    }
    clickhouse = {"environment": passwords, "volumes": [f"{place}/clickhouse.xml:/etc/clickhouse-server/users.d/readers.xml:ro"]}
    return _yaml({"services": {"clickhouse": clickhouse, "grafana": grafana}})


def _yaml(document: dict[str, Any]) -> str:
    head = "# Written by `contactmeter readers files`: change the file that it was made from, and write it again.\n"
    return head + yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=1_000)


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice: an alias helps nobody who reads the file."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True
