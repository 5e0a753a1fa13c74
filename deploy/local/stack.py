"""The local stack: its one directory, ports, secrets, the engines as services, and the file that says what runs."""

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deploy.local import jars
from deploy.local.clickhouse import APP_USER, BOARD_USER, ClickHouse
from deploy.local.errors import StackError
from deploy.local.kafka import Kafka
from deploy.local.network import LOOPBACK, free_ports, is_free
from deploy.local.process import write_atomically
from deploy.local.supervisor import Run, Service, Supervisor

PORT_PATIENCE = 2.0
PORTS = ("kafka", "kafka_controller", "clickhouse_http", "clickhouse_tcp", "health", "board")
BOARD_PORTS = range(8790, 8800)
"""Where people look for the board: the first of these that is free."""


@dataclass(frozen=True)
class Layout:
    """Where everything of one stack lies."""

    directory: Path

    @property
    def kafka(self) -> Path:
        return self.directory / "kafka"

    @property
    def clickhouse(self) -> Path:
        return self.directory / "clickhouse"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def organisations(self) -> Path:
        return self.directory / "organisations"

    @property
    def boards(self) -> Path:
        """One file a board user, named after the user, holding the password."""
        return self.directory / "secrets" / "boards"

    @property
    def password_file(self) -> Path:
        return self.directory / "secrets" / "clickhouse"

    @property
    def stack_file(self) -> Path:
        return self.directory / "run" / "stack.json"

    @property
    def lock_file(self) -> Path:
        return self.directory / "run" / "lock"

    def check(self) -> None:
        """StackError when the directory is something else: a file."""
        if self.directory.exists() and not self.directory.is_dir():
            raise StackError(f"{self.directory} is a file, not a directory. Choose another place with CONTACTMETER_DIR.")

    def create(self) -> None:
        """Make what is not there. Passwords and data are the owner's alone. StackError when it cannot be written."""
        self.check()
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            for private in (self.kafka, self.clickhouse, self.boards.parent, self.boards):
                private.mkdir(mode=0o700, exist_ok=True)
            for open_to_read in (self.logs, self.organisations, self.lock_file.parent):
                open_to_read.mkdir(exist_ok=True)
        except OSError as error:
            raise StackError(f"The directory {self.directory} cannot be used: {error}. Choose another with CONTACTMETER_DIR.") from error


def layout(own: bool = False) -> Layout:
    """The stack's directory: $CONTACTMETER_DIR, else .contactmeter in the working directory.

    When nothing runs there, but the demo does, it is the demo's: whoever looks, looks at what runs. `own`: never the demo's, for what
    starts a stack or sends it contacts.
    """
    place = Layout(Path(os.environ.get("CONTACTMETER_DIR") or ".contactmeter").expanduser().absolute())
    demo = demo_layout()
    return demo if not own and running_pid(place) is None and running_pid(demo) is not None else place


def demo_layout() -> Layout:
    """The directory of the demo, apart from a municipality's own data: $CONTACTMETER_DIR, else .contactmeter-demo."""
    return Layout(Path(os.environ.get("CONTACTMETER_DIR") or ".contactmeter-demo").expanduser().absolute())


def read_stack(place: Layout) -> dict[str, Any] | None:
    """What run/stack.json says; None when there is none or it cannot be read. It may be of a stack that has ended."""
    try:
        content = json.loads(place.stack_file.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def running_pid(place: Layout) -> int | None:
    """The process that supervises this directory now, or None. Certain: it holds a kernel lock for as long as it lives."""
    try:
        with place.lock_file.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except (FileNotFoundError, NotADirectoryError):
        pass
    return None


@contextlib.contextmanager
def locked(place: Layout) -> Iterator[None]:
    """Hold the directory for one supervisor. StackError when another has it."""
    file: IO[str] = place.lock_file.open("a+")
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StackError(
                f"A stack already runs on {place.directory} (process {file.read().strip()}). See it with `contactmeter status`, end it "
                "with `contactmeter down`, or start a second one on another directory with CONTACTMETER_DIR."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
    finally:
        file.close()


def check_ports(configured: Mapping[str, int]) -> None:
    """StackError for a name that is not one of PORTS, or a number that is no port."""
    unknown = set(configured) - set(PORTS)
    if unknown:
        raise StackError(f"There is no port named {', '.join(sorted(unknown))}. Names: {', '.join(PORTS)}.")
    for name, port in configured.items():
        if not 1 <= port <= 65535:
            raise StackError(f"{port} is no port (1-65535); configured for {name}.")


def choose_ports(configured: Mapping[str, int], previous: Mapping[str, int]) -> dict[str, int]:
    """A port for each of PORTS: the configured one, else the one of the last run if it is still free, else a free one.

    The board's is a number that people come to know: one of BOARD_PORTS, while there is any.

    StackError as of check_ports, and for a configured port that is taken. A port that is taken gets a moment to become free:
    after a kill the last run may still be ending.
    """
    check_ports(configured)
    deadline = time.monotonic() + PORT_PATIENCE
    while not all(map(is_free, {*configured.values(), *previous.values()})) and time.monotonic() < deadline:
        time.sleep(0.05)
    for name, port in configured.items():
        if not is_free(port):
            raise StackError(f"Port {port}, configured for {name}, is not free on {LOOPBACK}. End what listens there, or choose another.")
    chosen = dict(configured)
    for name in PORTS:
        if name not in chosen and name in previous and previous[name] not in chosen.values() and is_free(previous[name]):
            chosen[name] = previous[name]
    if "board" not in chosen:
        known = next((port for port in BOARD_PORTS if port not in chosen.values() and is_free(port)), None)
        chosen |= {} if known is None else {"board": known}
    rest = [name for name in PORTS if name not in chosen]
    picked = (port for port in free_ports(len(rest) + len(chosen)) if port not in chosen.values())
    return {**chosen, **dict(zip(rest, picked, strict=False))}


def password(file: Path) -> str:
    """The password in a file; a file that is not there is made, with a password of 192 random bits, readable by its owner."""
    if not file.exists():
        write_atomically(file, secrets.token_urlsafe(24), mode=0o600)
    return file.read_text().strip()


def environment(place: Layout, ports: Mapping[str, int]) -> dict[str, str]:
    """What the product's processes read to find the engines. Passwords by the file they are in."""
    return {
        "CONTACTMETER_DIR": str(place.directory),
        "CONTACTMETER_KAFKA": f"{LOOPBACK}:{ports['kafka']}",
        "CONTACTMETER_CLICKHOUSE_HOST": LOOPBACK,
        "CONTACTMETER_CLICKHOUSE_HTTP_PORT": str(ports["clickhouse_http"]),
        "CONTACTMETER_CLICKHOUSE_USER": APP_USER,
        "CONTACTMETER_CLICKHOUSE_PASSWORD_FILE": str(place.password_file),
        "CONTACTMETER_ORGANISATIONS": str(place.organisations),
        "CONTACTMETER_HEALTH_PORT": str(ports["health"]),
        "CONTACTMETER_INSTANCE": "local-1",
        "CONTACTMETER_BOARD_PORT": str(ports["board"]),
        "CONTACTMETER_BOARD_PASSWORD_FILE": str(place.boards / BOARD_USER),
    }


def engines(place: Layout, ports: Mapping[str, int], say: Callable[[str], None]) -> list[Service]:
    """Kafka and ClickHouse as services. Makes the passwords that are not there yet."""
    kafka = Kafka(place.kafka, ports["kafka"], ports["kafka_controller"])
    password(place.boards / BOARD_USER)
    boards = {file.name: password(file) for file in sorted(place.boards.iterdir()) if not file.name.startswith(".")}
    clickhouse = ClickHouse(place.clickhouse, ports["clickhouse_http"], ports["clickhouse_tcp"], password(place.password_file), boards)
    return [
        Service("kafka", lambda: kafka.prepare(say), ready=kafka.ready, alive=kafka.ready, stop_timeout=20),
        Service("clickhouse", clickhouse.prepare, clickhouse.environment, ready=clickhouse.ready, alive=clickhouse.ready),
    ]


def up(
    place: Layout,
    services: Callable[[Mapping[str, str]], Sequence[Service]],
    say: Callable[[str], None],
    configured_ports: Mapping[str, int] | None = None,
) -> None:
    """Run the engines and `services` (made for the environment they get) until a signal; then end all.

    Raises StackError (directory in use, ports taken, a user that cannot be, Kafka cannot be fetched).
    """
    place.create()
    with locked(place):
        jars.class_path(jars.cache_directory(), say)  # the long part of the first start, while Ctrl-C still just ends it
        previous = (read_stack(place) or {}).get("ports", {})
        ports = choose_ports(configured_ports or {}, previous)
        moved = [f"{name} {previous[name]} -> {ports[name]}" for name in PORTS if name in previous and previous[name] != ports[name]]
        if moved:
            say(f"ports changed since the last run: {', '.join(moved)}")
        variables = environment(place, ports)
        started = time.time()

        def write(runs: Sequence[Run]) -> None:
            content = {
                "pid": os.getpid(),
                "started_at": started,
                "ports": ports,
                "environment": variables,
                "services": {run.service.name: _describe(run) for run in runs},
            }
            try:
                write_atomically(place.stack_file, json.dumps(content, indent=2) + "\n")
            except OSError as error:  # a full disk must not end what runs
                say(f"{place.stack_file} could not be written: {error}")

        Supervisor([*engines(place, ports, say), *services(variables)], place.logs, say, write).run()


def _describe(run: Run) -> dict[str, Any]:
    return {
        "state": run.state.value,
        "pid": run.pid,
        "since": run.since or None,
        "restarts": run.restarts,
        "oneshot": run.service.oneshot,
        "log": str(run.log),
    }
