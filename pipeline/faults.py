"""Faults on purpose, for the tests that kill a worker between two inserts of one batch. Off unless CONTACTMETER_FAULT is set."""

import os
import random
import signal
from collections.abc import Callable

from schemas.errors import InvalidConfiguration


def after_insert(fault: str) -> Callable[[str], None]:
    """What to do after each insert: `kill:contacts:0.1` ends the process by SIGKILL after one in ten inserts into contacts; "" nothing.

    Raises InvalidConfiguration.
    """
    if not fault:
        return lambda _table: None
    try:
        action, table, probability = fault.split(":")
        chance = float(probability)
    except ValueError:
        raise InvalidConfiguration(f"CONTACTMETER_FAULT is {fault!r}; write kill:TABLE:PROBABILITY") from None
    if action != "kill":
        raise InvalidConfiguration(f"CONTACTMETER_FAULT is {fault!r}; the only fault is kill:TABLE:PROBABILITY")

    def maybe(inserted: str) -> None:
        if table in (inserted, "*") and random.random() < chance:
            os.kill(os.getpid(), signal.SIGKILL)

    return maybe
