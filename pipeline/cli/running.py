"""Where the stack that runs here answers, for commands that send to it."""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import typer

from deploy.local import stack
from deploy.local.network import LOOPBACK
from deploy.local.process import write_atomically
from schemas.errors import ContactmeterError
from schemas.organisation import load_organisation

WAIT_S = 60.0


class NotRunning(ContactmeterError):
    """Something that a command needs does not answer."""


def stack_here() -> dict[str, Any] | None:
    """What the stack of this directory says of itself (run/stack.json), if it runs now."""
    place = stack.layout()
    return stack.read_stack(place) if stack.running_pid(place) is not None else None


def kafka_address(given: str | None) -> str:
    """`given` (an option or CONTACTMETER_KAFKA), else that of the stack that runs here. Raises NotRunning."""
    if given:
        return given
    running = stack_here()
    if running is None:
        raise NotRunning(f"no stack runs on {stack.layout().directory}; start it with `contactmeter up`, or give --kafka HOST:PORT")
    return str(running["environment"]["CONTACTMETER_KAFKA"])


def ensure_organisation(path: Path, kafka: str) -> bool:
    """Make the worker of the stack that runs here take up an organisation's file, if it does not know the organisation yet.

    Returns whether it was new. Does nothing when `kafka` is not that stack's: there, organisations are configured by whoever runs it. An
    organisation that is known stays as it is configured. Raises InvalidConfiguration and NotRunning.
    """
    running = stack_here()
    if running is None or running["environment"]["CONTACTMETER_KAFKA"] != kafka:
        return False
    organisation = load_organisation(path).organisation
    port = int(running["ports"]["health"])
    in_use = stack.layout().organisations / f"{organisation}.yaml"
    if organisation in _status(port).get("organisations", ()):
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


def _status(port: int) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # Loopback goes through no proxy.
    try:
        with opener.open(f"http://{LOOPBACK}:{port}/status", timeout=5) as answer:
            status: dict[str, Any] = json.load(answer)
            return status
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise NotRunning(f"the worker does not answer ({error}); see `contactmeter status` and `contactmeter logs worker`") from None
