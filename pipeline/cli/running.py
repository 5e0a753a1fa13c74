"""Where the stack that runs here answers, for commands that send to it."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from kafka.errors import KafkaError

from deploy.local import stack
from deploy.local.network import LOOPBACK
from deploy.local.process import write_atomically
from pipeline.health import Offsets
from schemas.errors import ContactmeterError, InvalidConfiguration
from schemas.organisation import load_organisation
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS

WAIT_S = 60.0
POLL_S = 0.3


class NotRunning(ContactmeterError):
    """Something that a command needs does not answer."""


def stack_here() -> dict[str, Any] | None:
    """What the stack of this directory says of itself (run/stack.json), if it runs now."""
    place = stack.layout(own=True)
    return stack.read_stack(place) if stack.running_pid(place) is not None else None


def kafka_address(given: str | None) -> str:
    """`given` (an option or CONTACTMETER_KAFKA), else that of the stack that runs here. Raises NotRunning."""
    if given:
        return given
    running = stack_here()
    if running is None:
        raise NotRunning(
            f"no stack runs on {stack.layout(own=True).directory}; start it with `contactmeter up`, "
            "go to the directory where you ran `up`, or set CONTACTMETER_DIR; or give --kafka HOST:PORT"
        )
    return str(running["environment"]["CONTACTMETER_KAFKA"])


def worker_here(kafka: str) -> int | None:
    """The port on which the worker of the stack that runs here reports; None when `kafka` is not that stack's."""
    running = stack_here()
    if running is None or running["environment"]["CONTACTMETER_KAFKA"] != kafka:
        return None
    return int(running["ports"]["health"])


def is_known(organisation: str, port: int) -> bool:
    """Whether the worker that reports on `port` measures the organisation. Raises NotRunning."""
    return organisation in _status(port).get("organisations", ())


def file_in_force(organisation: str) -> Path | None:
    """The organisation's file in the directory of the stack that runs here."""
    for path in sorted(stack.layout(own=True).organisations.glob("*.yaml")):
        try:
            if load_organisation(path).organisation == organisation:
                return path
        except InvalidConfiguration:
            continue  # The worker says what is wrong with it; it need not be this organisation's.
    return None


def file_here(organisation: str) -> Path | None:
    """As `file_in_force`, None where no stack runs."""
    return file_in_force(organisation) if stack_here() is not None else None


def ensure_organisation(path: Path, kafka: str) -> bool:
    """Make the worker of the stack that runs here take up an organisation's file, if it does not know the organisation yet.

    Returns whether it was new. Does nothing when `kafka` is not that stack's: there, organisations are configured by whoever runs it. An
    organisation that is known stays as it is configured. Raises InvalidConfiguration and NotRunning.
    """
    port = worker_here(kafka)
    if port is None:
        return False
    organisation = load_organisation(path).organisation
    in_use = stack.layout(own=True).organisations / f"{organisation}.yaml"
    if is_known(organisation, port):
        if in_use.exists() and in_use.read_bytes() != path.read_bytes():
            typer.echo(f"note: {organisation} is configured by {in_use}, which differs from {path}; the first is in force", err=True)
        return False
    write_atomically(in_use, path.read_text(encoding="utf-8-sig"))
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        status = _status(port)
        if why := status.get("refused_configurations", {}).get(organisation):
            raise NotRunning(f"the worker refuses {path}: {why}")
        if organisation in status.get("organisations", ()):
            return True
        time.sleep(0.2)
    raise NotRunning(f"the worker did not take up {path} within {WAIT_S:.0f} s; see `contactmeter status` and `contactmeter logs worker`")


def rejects_so_far(port: int) -> int:
    """How many events and records the worker refused since it started. Raises NotRunning."""
    return int(_status(port).get("rejects", 0))


def await_worker(organisation: str, kafka: str, port: int, stop: threading.Event, shown: Callable[[int, int], None]) -> int:
    """Wait until the worker has stored what lies in the organisation's partition now.

    `shown` receives how many records are done, of how many.
    Returns how many records are left: 0 unless `stop` was set or nothing moved for WAIT_S. Raises NotRunning when Kafka does not answer, or
    the worker's brake is on.
    """
    partition = partition_of(organisation)
    end = _end(kafka, partition)
    first: int | None = None
    left = end
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            status = _status(port)
        except NotRunning:
            pass  # It may be starting again; the deadline says when that takes too long.
        else:
            if why := status.get("braked"):
                raise NotRunning(
                    f"the worker stands still: {why}; mend the cause (`contactmeter rejects list`), then `contactmeter resume`"
                )
            committed = int(status.get("committed", {}).get(str(partition), 0))
            first = committed if first is None else first
            if max(0, end - committed) < left:
                left = max(0, end - committed)
                deadline = time.monotonic() + WAIT_S
            shown(max(0, end - first) - left, max(0, end - first))
        if left == 0 or time.monotonic() > deadline or stop.wait(POLL_S):
            return left


def _end(kafka: str, partition: int) -> int:
    offsets = Offsets(kafka, "", CONTACT_EVENTS)  # No group: only where the topic ends.
    try:
        return offsets.limits()[1].get(partition, 0)
    except KafkaError as error:
        raise NotRunning(f"Kafka at {kafka} does not answer ({error}); see `contactmeter status`") from None
    finally:
        offsets.close()


def _status(port: int) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # Loopback goes through no proxy.
    try:
        with opener.open(f"http://{LOOPBACK}:{port}/status", timeout=5) as answer:
            status: dict[str, Any] = json.load(answer)
            return status
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise NotRunning(f"the worker does not answer ({error}); see `contactmeter status` and `contactmeter logs worker`") from None
