"""TLS and SASL towards Kafka: one set of settings for Faust, for our own clients and for the connectors.

`options` is what kafka-python takes (the connectors' `security`); pipeline/app.py makes Faust's credentials of the same object.
"""

import ssl
from dataclasses import dataclass, field
from typing import Any

from pipeline.tls import Tls
from schemas.errors import InvalidConfiguration

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True)
class KafkaSecurity:
    """How a client proves who it is and keeps what it says private. `tls` None: not said; then off.

    Raises InvalidConfiguration, naming the variables, for settings that are incomplete or contradict each other.
    """

    tls: bool | None = None
    mechanism: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    files: Tls = field(default=Tls("CONTACTMETER_KAFKA"))

    def __post_init__(self) -> None:
        if self.mechanism and self.mechanism not in MECHANISMS:
            raise InvalidConfiguration(f"CONTACTMETER_KAFKA_SASL is {self.mechanism!r}; it must be one of {', '.join(MECHANISMS)}")
        if self.mechanism and not (self.user and self.password):
            raise InvalidConfiguration(
                f"CONTACTMETER_KAFKA_SASL is {self.mechanism}; that takes CONTACTMETER_KAFKA_USER and CONTACTMETER_KAFKA_PASSWORD_FILE"
            )
        if not self.mechanism and (self.user or self.password):
            raise InvalidConfiguration(
                "CONTACTMETER_KAFKA_USER or its password is set, CONTACTMETER_KAFKA_SASL is not; name the mechanism of the broker's "
                f"listener: {', '.join(MECHANISMS)}"
            )
        if self.mechanism and self.tls is None:
            raise InvalidConfiguration(
                "CONTACTMETER_KAFKA_SASL is set, CONTACTMETER_KAFKA_TLS is not; write yes, or no if the way to the broker is private "
                "(PLAIN then sends the password readable)"
            )
        if self.files.given and not self.tls:
            raise InvalidConfiguration("certificates for Kafka are set, TLS is not: CONTACTMETER_KAFKA_TLS must be yes")
        if self.tls:
            _ = self.files.context  # what is wrong with the files is said now

    @property
    def protocol(self) -> str:
        """Kafka's name for it: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
        return ("SASL_" if self.mechanism else "") + ("SSL" if self.tls else "PLAINTEXT")

    @property
    def context(self) -> ssl.SSLContext | None:
        """For TLS; None when it is off."""
        return self.files.context if self.tls else None

    def options(self) -> dict[str, Any]:
        """The settings of a kafka-python client. They hold the password: not to be logged."""
        found: dict[str, Any] = {"security_protocol": self.protocol}
        if self.tls:
            found["ssl_context"] = self.context
        if self.mechanism:
            found |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.user, "sasl_plain_password": self.password}
        return found
