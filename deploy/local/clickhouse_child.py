"""ClickHouse's own HTTP and TCP server out of the chdb-core package: `python -m deploy.local.clickhouse_child ETC DATA HTTP_PORT`,
with the product user's password in CLICKHOUSE_APP_PASSWORD (to end the server's main query, which has no user).

The package contains clickhouse-local, which can open the server's ports. Only `_chdb.query` runs it (`chdb.connect` is another
engine, without ports), so this loads that extension module alone: importing `chdb` would start an engine of its own first.
The entry point is private; chdb-core is pinned for it. A process of its own: it never returns to Python while it serves.
"""

import ctypes
import importlib.util
import os
import signal
import sys
import threading
import time
import types
import urllib.request
from pathlib import Path
from typing import Any

from deploy.local.network import DIRECT, LOOPBACK, http_ok

# The last statement keeps the engine, and so the ports, alive; ending that query ends the server in good order.
_SERVE = (
    "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT sleepEachRow(0.5) FROM numbers(1000000000000) "
    "SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0, max_execution_time = 0, "
    "log_comment = 'engine-main' FORMAT Null"
)
_STOP_TIMEOUT = 2.0
"""Seconds for queries under way. The engine itself would wait 5 s whenever a client keeps an idle connection open."""


def load_engine() -> Any:
    """The extension module chdb._chdb, without running chdb/__init__.py."""
    spec = importlib.util.find_spec("chdb")
    if spec is None or spec.origin is None:
        sys.exit("chdb-core is not installed: pip install --no-deps chdb-core (extra `local`)")
    package = Path(spec.origin).parent
    library = package / "_chdb.abi3.so"
    ctypes.CDLL(str(library), mode=sys.getdlopenflags() | os.RTLD_DEEPBIND if sys.platform == "linux" else sys.getdlopenflags())
    parent = types.ModuleType("chdb")
    parent.__path__ = [str(package)]
    sys.modules["chdb"] = parent
    module_spec = importlib.util.spec_from_file_location("chdb._chdb", library)
    if module_spec is None or module_spec.loader is None:
        sys.exit(f"{library} cannot be loaded as a Python module")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules["chdb._chdb"] = module
    module_spec.loader.exec_module(module)
    return module


def end_main_query(port: int) -> None:
    headers = {"X-ClickHouse-User": "app", "X-ClickHouse-Key": os.environ["CLICKHOUSE_APP_PASSWORD"]}
    query = b"KILL QUERY WHERE user = '' AND query LIKE '%engine-main%'"
    try:
        DIRECT.open(urllib.request.Request(f"http://{LOOPBACK}:{port}/", query, headers), timeout=5).close()
    except OSError as error:
        print(f"could not stop the engine in good order: {error}", file=sys.stderr)


def main(etc: str, data: str, http_port: int) -> int:
    os.chdir(etc)  # the engine reads ./config.xml
    engine = load_engine()
    stopping = threading.Event()
    failures: list[str] = []

    def serve() -> None:
        try:
            message = engine.query(_SERVE, "TSV", path=data).error_message()
        except Exception as error:  # noqa: BLE001 - the engine's own kinds; this thread's end is the process's end
            message = repr(error)
        if message and not stopping.is_set():
            failures.append(message)

    def arm() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: stopping.set())

    arm()
    server = threading.Thread(target=serve, daemon=True)
    server.start()
    while server.is_alive() and not http_ok(f"http://{LOOPBACK}:{http_port}/ping") and not stopping.is_set():
        time.sleep(0.02)
    arm()  # the engine put handlers of its own in place while it started
    while server.is_alive() and not stopping.is_set():
        server.join(0.2)
    if stopping.is_set():
        end_main_query(http_port)
        server.join(_STOP_TIMEOUT)
    if failures:
        print(f"engine: {failures[0]}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1 if failures else 0)  # what was acknowledged is on disk; the engine's own threads need no farewell


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
