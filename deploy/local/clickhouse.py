"""One real ClickHouse server, out of the chdb-core package: configuration, users and the command that runs it."""

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

from deploy.local.errors import ClickHouseError
from deploy.local.network import LOOPBACK, http_ok
from deploy.local.process import write_atomically

APP_USER = "app"
BOARD_USER = "board"
DATABASE = "contactmeter"
VIEWS_DATABASE = "contactmeter_views"
MEMORY = 2 << 30
"""What the server may use, in bytes; the process peaks at about 1.4 times this."""

_HERE = Path(__file__).parent
_APP_GRANTS = (
    f"GRANT ALL ON {DATABASE}*.*",
    f"GRANT SET DEFINER ON {APP_USER}",
    "GRANT SELECT, SHOW ON system.*",
    "GRANT CREATE TEMPORARY TABLE, TABLE ENGINE, KILL QUERY, SHOW, SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM VIEWS ON *.*",
    "GRANT READ, WRITE ON DISK",
)
_BOARD_GRANTS = (f"GRANT SELECT ON {VIEWS_DATABASE}.*",)


@dataclass(frozen=True)
class ClickHouse:
    """A server with its data in `directory`, listening on loopback only.

    `app` owns the product's databases; `boards` (name -> password) may read the database of views and nothing else.
    Raises ClickHouseError for a name or a password that cannot be one.
    """

    directory: Path
    http_port: int
    tcp_port: int
    password: str = field(repr=False)
    boards: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name, password in {APP_USER: self.password, **self.boards}.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
                raise ClickHouseError(f"User name {name!r}: use a lower-case letter, then letters, digits and underscores, 63 at most.")
            if not password:
                raise ClickHouseError(f"User {name!r} has an empty password. Give it one.")
        for name in {APP_USER, "default"}.intersection(self.boards):
            raise ClickHouseError(f"Board user {name!r}: that name is taken by the product. Choose another.")

    @property
    def environment(self) -> dict[str, str]:
        """What the server's process needs in its environment: the engine takes its zone from TZ only."""
        return {"TZ": "UTC", "CLICKHOUSE_APP_PASSWORD": self.password}

    def prepare(self) -> list[str]:
        """Write the configuration and return the command that runs the server.

        Users are read at start only: another board user takes a restart.
        """
        users = [_user(APP_USER, self.password, "default", _APP_GRANTS)]
        users += [_user(name, password, "board", _BOARD_GRANTS) for name, password in self.boards.items()]
        etc = self.directory / "etc"
        values = {
            "host": LOOPBACK,
            "http_port": self.http_port,
            "tcp_port": self.tcp_port,
            "memory": MEMORY,
            "directory": escape(str(self.directory)),
            "users": "\n".join(users),
        }
        for source, target in (("clickhouse_config.xml", "config.xml"), ("clickhouse_users.xml", "users.xml")):
            write_atomically(etc / target, Template((_HERE / source).read_text()).substitute(values), mode=0o600)
        return [sys.executable, "-m", "deploy.local.clickhouse_child", str(etc), str(self.directory / "db"), str(self.http_port)]

    def ready(self) -> bool:
        """True when the server answers over HTTP."""
        return http_ok(f"http://{LOOPBACK}:{self.http_port}/ping")


def _user(name: str, password: str, profile: str, grants: tuple[str, ...]) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    queries = "".join(f"<query>{escape(grant)}</query>" for grant in grants)
    return (
        f"    <{name}><password_sha256_hex>{digest}</password_sha256_hex><networks><ip>127.0.0.1</ip><ip>::1</ip></networks>"
        f"<profile>{profile}</profile><quota>default</quota><grants>{queries}</grants></{name}>"
    )
