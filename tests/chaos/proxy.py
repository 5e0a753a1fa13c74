"""A proxy in front of ClickHouse that can do what networks and servers do: refuse, be slow, break off, keep an answer to itself.

A test says what happens to the inserts into a table by two functions, called in the thread that handles the insert: `before` it is
handed to ClickHouse, and `after` ClickHouse has stored it and before the worker hears of it. They may block, raise Cut or Refuse, and
`before` may return settings with which ClickHouse itself is to run the insert. Everything else passes.
"""

import http.client
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

from deploy.local.network import LOOPBACK

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_INSERT = re.compile(rb"INSERT INTO `?(\w+)")
"""At the head of the body. That is compressed as a whole, but what has not occurred before stands in LZ4 as it is."""


class Cut(Exception):
    """Break the connection off without an answer."""


class Refuse(Exception):
    """Answer with a server error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text}")
        self.code = code


Before = Callable[[str], Mapping[str, str] | None]
After = Callable[[str], None]


def _nothing(_table: str) -> None:
    return None


class Proxy:
    """Listens on `port` of the loopback interface until closed; `target_port` is ClickHouse's HTTP port."""

    def __init__(self, target_port: int) -> None:
        self.before: Before = _nothing
        self.after: After = _nothing
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy._handle(self, target_port)

            def do_POST(self) -> None:
                proxy._handle(self, target_port)

            def log_message(self, *_args: object) -> None:
                """Nobody wants a line a request."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args: object) -> None:
                """A worker that is killed breaks its connections off: that is what this is for."""

        self._server = Server((LOOPBACK, 0), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="proxy", kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def faults(self, before: Before = _nothing, after: After = _nothing) -> Iterator[None]:
        """Have `before` and `after` called within the block."""
        self.before, self.after = before, after
        try:
            yield
        finally:
            self.before, self.after = _nothing, _nothing

    def _handle(self, request: BaseHTTPRequestHandler, target_port: int) -> None:
        body = _body(request)
        table = _table(body)
        try:
            settings = (self.before(table) if table else None) or {}
            answer = _forward(request, body, settings, target_port)
            if table:
                self.after(table)
        except Refuse as error:
            answer = 500, [("X-ClickHouse-Exception-Code", str(error.code))], str(error).encode()
        except (Cut, OSError, http.client.HTTPException):
            request.close_connection = True
            with suppress(OSError):
                request.connection.close()
            return
        _answer(request, *answer)


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if "chunked" not in request.headers.get("Transfer-Encoding", ""):
        return request.rfile.read(int(request.headers.get("Content-Length", 0)))
    parts = []
    while size := int(request.rfile.readline().split(b";")[0], 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)


def _table(body: bytes) -> str:
    """The table that a request inserts into, "" when it is no insert."""
    found = _INSERT.search(body, 0, 100)
    return found[1].decode() if found else ""


Answer = tuple[int, list[tuple[str, str]], bytes]


def _forward(request: BaseHTTPRequestHandler, body: bytes, settings: Mapping[str, str], port: int) -> Answer:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    try:
        path = request.path + ("&" if "?" in request.path else "?") + urlencode(settings) if settings else request.path
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection.request(request.command, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()


def _answer(request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    with suppress(OSError):
        request.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
