"""Connections to ClickHouse, and which of its errors mean "wait" and which mean "crash"."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ssl import SSLCertVerificationError
from typing import Any, TypeVar

import clickhouse_connect
from clickhouse_connect.driver.client import Client as Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
from urllib3.exceptions import HTTPError

from pipeline.tls import Tls
from schemas.errors import ContactmeterError

DATABASE = "contactmeter"
VIEWS = "contactmeter_views"

_PASSING = frozenset({60, 81, 159, 160, 164, 202, 209, 210, 236, 241, 242, 243, 252, 319, 425, 439, 516, 999})
"""Server errors that pass: tables not made yet (`contactmeter setup` does), time-outs, too many queries or parts, memory or disk full,
read-only, network, a password not loaded yet."""

_ANSWER_BYTES = 1 << 30
"""How much of an answer the server keeps in memory (it takes what the answer needs). The client has it wait for the end of the query, and
the server would keep the answer in a file: on a disk that is full that file is empty, and so, with status 200, is the answer."""

Result = TypeVar("Result")


class Unavailable(ContactmeterError):
    """ClickHouse can't do this now; the same call may succeed after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Connection:
    """Where ClickHouse answers over HTTP, and as whom. The password is never shown."""

    host: str
    port: int
    user: str
    password: str
    tls: Tls | None = None

    def __repr__(self) -> str:
        return f"Connection({self.user}@{self.host}:{self.port})"

    def open(self, database: str = DATABASE) -> Client:
        """A client of its own, to be used by one thread at a time. Raises Unavailable."""
        with passing_errors(repr(self)):
            client: Client = clickhouse_connect.get_client(
                host=self.host,
                port=self.port,
                username=self.user,
                password=self.password,
                database=database,
                **self._secured(),
                autogenerate_session_id=False,
                connect_timeout=5,
                send_receive_timeout=45,
                query_retries=0,
                settings={
                    "async_insert": 0,  # an insert has returned when its rows are stored, whatever the server's default
                    "buffer_size": _ANSWER_BYTES,
                },
            )
            return client

    def _secured(self) -> dict[str, Any]:
        if self.tls is None:
            return {}
        return {
            "secure": True,
            "verify": self.tls.verify,
            "ca_cert": self.tls.ca_file or None,
            "client_cert": self.tls.certificate_file or None,
            "client_cert_key": self.tls.key_file or None,
            "tls_mode": "strict",  # a client certificate beside the password, not in its place
        }


@contextmanager
def passing_errors(doing: str) -> Iterator[None]:
    """Turn errors that pass into Unavailable; let the others through."""
    try:
        yield
    except (OperationalError, HTTPError, OSError) as error:
        cause = _root_cause(error)
        hint = (
            "; CONTACTMETER_CLICKHOUSE_CA_FILE must name the authority that signed it"
            if isinstance(cause, SSLCertVerificationError)
            else ""
        )
        raise Unavailable(f"ClickHouse does not answer ({doing}): {first_line(cause)}{hint}") from error
    except DatabaseError as error:
        if error_code(error) in _PASSING:
            raise Unavailable(f"ClickHouse can't do this now ({doing}): {first_line(error)}") from error
        raise


def error_code(error: ClickHouseError) -> int:
    """The server's error code, 0 when it names none."""
    text = str(error)
    start = text.find("Code: ")
    digits = text[start + 6 : start + 12].split(".")[0] if start >= 0 else ""
    return int(digits) if digits.isdigit() else 0


def _root_cause(error: BaseException) -> BaseException:
    """The first error of a chain: "connection refused" beneath what each library wraps around it."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def first_line(error: BaseException) -> str:
    """The first line of an error's text, short enough for a log."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def persistently(action: Callable[[], Result], wait: Callable[[Unavailable], None]) -> Result:
    """Do `action` until it is not Unavailable; `wait` is called in between and may raise to give up."""
    while True:
        try:
            return action()
        except Unavailable as error:
            wait(error)
