"""Connecting to Kafka: options that every client of ours shares, and waiting for a broker without noise.

TLS and SASL go in `security`: a mapping of kafka-python's own settings (security_protocol, ssl_cafile, sasl_mechanism, ...).
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError

from schemas.errors import ContactmeterError

log = logging.getLogger(__name__)

Client = TypeVar("Client")
Security = Mapping[str, object]

FIRST_WARNING_S = 5.0
REPEAT_WARNING_S = 60.0


class Unreachable(ContactmeterError):
    """Kafka did not answer within the time the caller gave it."""


class AccessDenied(ContactmeterError):
    """Kafka refuses our credentials or rights; a person must change them."""


def options(security: Security) -> dict[str, Any]:
    """Settings common to producers and consumers."""
    # kafka-python logs a broken connection many times a second; what a person must know is said by our own loggers.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    return {"bootstrap_timeout_ms": 2_000, "reconnect_backoff_max_ms": 1_000, **security}


class Patience:
    """Says once that something is awaited, then rarely, and once that it is over."""

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._since: float | None = None
        self._said: float | None = None

    def waiting(self, why: str = "") -> float:
        """Nothing moves; returns for how many seconds that has been so."""
        now = self._clock()
        if self._since is None:
            self._since = now
        waited = now - self._since
        if waited >= FIRST_WARNING_S and (self._said is None or now - self._said >= REPEAT_WARNING_S):
            self._said = now
            log.warning("%s: no answer for %.0f s%s; waiting, nothing is lost", self._what, waited, f" ({why})" if why else "")
        return waited

    def moving(self) -> None:
        """It moves again."""
        if self._said is not None:
            log.warning("%s: answers again", self._what)
        self._since = self._said = None


def connect(make: Callable[[], Client], bootstrap: str, give_up_after: float | None = None) -> Client:
    """`make()` as soon as a broker answers. Raises Unreachable after `give_up_after` seconds (None: never), AccessDenied at once."""
    patience = Patience(f"Kafka at {bootstrap}")
    while True:
        try:
            client = make()
        except (AuthorizationError, SaslAuthenticationFailedError) as error:
            raise AccessDenied(f"Kafka at {bootstrap} refuses this client: {error}; check its credentials and rights") from error
        except KafkaError as error:
            if patience.waiting(type(error).__name__) >= (give_up_after if give_up_after is not None else float("inf")):
                raise Unreachable(
                    f"Kafka at {bootstrap} does not answer; check that it runs (contactmeter status) and that the address is right"
                ) from error
            time.sleep(0.2)
        else:
            patience.moving()
            return client
