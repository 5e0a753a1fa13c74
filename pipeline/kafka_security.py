"""TLS and SASL towards Kafka: one set of settings for Faust, for our own clients and for the connectors, and what is wrong with it.

`options` is what kafka-python takes (the connectors' `security`); pipeline/app.py makes Faust's credentials of the same object.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from pipeline.tls import Tls
from schemas.errors import InvalidConfiguration

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_NOT_TAKEN = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
_PROBE_S = 3.0


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

    def why_refused(self, bootstrap: str, error: Exception) -> str:
        """What to do when a broker does not take the user."""
        return (
            f"Kafka at {bootstrap} refuses user {self.user!r} by {self.mechanism} ({str(error) or type(error).__name__}); check "
            "CONTACTMETER_KAFKA_USER, CONTACTMETER_KAFKA_PASSWORD_FILE and CONTACTMETER_KAFKA_SASL"
        )

    def probe(self, bootstrap: str) -> str:
        """Why the first broker that listens does not take this client; "" when it does, or none listens.

        For when a client could not connect: kafka-python says of a wrong certificate no more than that there was no answer, and loses the
        broker's word on a wrong password when the connection ends with it.
        """
        for host, port in _addresses(bootstrap):
            try:
                with socket.create_connection((host, port), timeout=_PROBE_S) as connection:
                    problem = self._probe_tls(f"{host}:{port}", host, connection)
            except OSError:
                continue
            return problem or (self._probe_sasl(bootstrap, host, port) if self.mechanism else "")
        return ""

    def _probe_sasl(self, bootstrap: str, host: str, port: int) -> str:
        async def introduce() -> None:
            connection = await create_conn(
                host,
                port,
                request_timeout_ms=round(_PROBE_S * 1000),
                security_protocol=self.protocol,
                ssl_context=self.context,
                sasl_mechanism=self.mechanism,
                sasl_plain_username=self.user,
                sasl_plain_password=self.password,
            )
            connection.close()

        try:
            asyncio.run(introduce())
        except _NOT_TAKEN as error:
            return self.why_refused(bootstrap, error)
        except KafkaConnectionError:
            return f"Kafka at {host}:{port} ends the connection at SASL: this port may want none (then unset CONTACTMETER_KAFKA_SASL)"
        except (KafkaError, OSError):
            return ""
        return ""

    def _probe_tls(self, address: str, host: str, connection: socket.socket) -> str:
        connection.settimeout(_PROBE_S)
        if self.context is None:
            if self.mechanism or _answers(connection):
                return ""
            return f"Kafka at {address} ends the connection: it may want CONTACTMETER_KAFKA_TLS=yes, or CONTACTMETER_KAFKA_SASL and a user"
        try:
            with self.context.wrap_socket(connection, server_hostname=host) as secured:
                if self.mechanism or _answers(secured):
                    return ""
                return f"Kafka at {address} ends the connection: it may want CONTACTMETER_KAFKA_SASL and a user"
        except ssl.SSLCertVerificationError as error:
            return (
                f"the certificate of Kafka at {address} is not trusted: {error.verify_message}; CONTACTMETER_KAFKA_CA_FILE must name the "
                "authority that signed it, and the certificate must be for the name in CONTACTMETER_KAFKA"
            )
        except ssl.SSLError as error:
            if "CERTIFICATE" in (error.reason or ""):
                return f"Kafka at {address} wants a certificate of this client ({error.reason}): see CONTACTMETER_KAFKA_CERTIFICATE_FILE"
            return f"Kafka at {address} does not speak TLS on this port ({error.reason}): CONTACTMETER_KAFKA_TLS=no, or another port"
        except TimeoutError:
            return ""
        except OSError:
            return f"Kafka at {address} ends the connection when TLS begins: CONTACTMETER_KAFKA_TLS=no, or another port"

    def raise_if_hopeless(self, bootstrap: str, error: Exception) -> None:
        """Raise InvalidConfiguration when waiting will not help: the broker is there, but does not take this client."""
        if problem := self.probe(bootstrap):
            raise InvalidConfiguration(problem) from error


def _addresses(bootstrap: str) -> Iterator[tuple[str, int]]:
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if host and port.isdecimal():
            yield host.strip("[]"), int(port)


def _answers(connection: socket.socket) -> bool:
    """Whether a request for metadata is answered without any introduction. An ssl.SSLError passes through: it says why not."""
    client = b"contactmeter"
    request = struct.pack(">hhih", 3, 1, 1, len(client)) + client + struct.pack(">i", 0)
    try:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = b""
        while len(answer) < 8 and (part := connection.recv(8 - len(answer))):
            answer += part
        return answer[4:] == struct.pack(">i", 1)  # our number; a TLS port answers too, with an alert
    except TimeoutError:
        return True  # it is busy, which is another trouble
    except ssl.SSLError:
        raise
    except OSError:
        return False
