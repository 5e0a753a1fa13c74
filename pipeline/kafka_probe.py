"""Why a broker does not take a client: asked of it over a plain socket, once a client could not connect.

kafka-python says of a certificate that is not trusted no more than that there was no answer, and loses the broker's word on a wrong
password when the connection ends with it. So a process would wait for something that only a person can mend.
"""

import socket
import ssl
import struct
from collections.abc import Iterator

from kafka.net.sasl import get_sasl_mechanism

from pipeline.kafka_security import KafkaSecurity
from schemas.errors import InvalidConfiguration

TIMEOUT_S = 3.0
_METADATA, _HANDSHAKE, _AUTHENTICATE = 3, 17, 36
"""Numbers of Kafka's requests (https://kafka.apache.org/protocol)."""


def raise_if_hopeless(bootstrap: str, security: KafkaSecurity, error: Exception | None = None) -> None:
    """Raise InvalidConfiguration when a broker listens but does not take this client: waiting does not mend that."""
    if problem := probe(bootstrap, security):
        raise InvalidConfiguration(problem) from error


def probe(bootstrap: str, security: KafkaSecurity) -> str:
    """Why the first broker that listens does not take this client; "" when it does, when none listens, or when it is too slow to say."""
    for host, port in _addresses(bootstrap):
        try:
            with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
                return _ask(f"{host}:{port}", host, connection, security)
        except OSError:
            continue
    return ""


def _addresses(bootstrap: str) -> Iterator[tuple[str, int]]:
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if host and port.isdecimal():
            yield host.strip("[]"), int(port)


def _ask(address: str, host: str, connection: socket.socket, security: KafkaSecurity) -> str:
    """Go as far as a client would; every way in which it ends has its words."""
    secured = connection
    try:
        if security.context is not None:
            secured = security.context.wrap_socket(connection, server_hostname=host)
        try:
            return _introduce(address, secured, security)
        finally:
            secured.close()
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
    except (OSError, EOFError):
        if secured is connection and security.context is not None:
            return f"Kafka at {address} ends the connection when TLS begins: CONTACTMETER_KAFKA_TLS=no, or another port"
        wants = [] if security.context else ["CONTACTMETER_KAFKA_TLS=yes"]
        wants.append("no CONTACTMETER_KAFKA_SASL" if security.mechanism else "CONTACTMETER_KAFKA_SASL and a user")
        return f"Kafka at {address} ends the connection: it may want {' or '.join(wants)}"


def _introduce(address: str, connection: socket.socket, security: KafkaSecurity) -> str:
    if not security.mechanism:
        _request(connection, _METADATA, struct.pack(">i", 0))
        return ""
    name = security.mechanism.encode()
    handshake = _request(connection, _HANDSHAKE, struct.pack(">h", len(name)) + name)
    if struct.unpack(">h", handshake[:2])[0]:
        return f"Kafka at {address} does not know {security.mechanism}: CONTACTMETER_KAFKA_SASL must be one that this port takes"
    way = get_sasl_mechanism(security.mechanism)(host=address, **security.options())
    while not way.is_done():
        token = way.auth_bytes()
        answer = _request(connection, _AUTHENTICATE, struct.pack(">i", len(token)) + token, version=0)
        error, length = struct.unpack(">hh", answer[:4])
        words = answer[4 : 4 + max(0, length)]
        if error:
            return (
                f"Kafka at {address} refuses user {security.user!r} by {security.mechanism} ({words.decode(errors='replace')}); check "
                "CONTACTMETER_KAFKA_USER and CONTACTMETER_KAFKA_PASSWORD_FILE"
            )
        way.receive(answer[8 + len(words) :])
    return ""


def _request(connection: socket.socket, number: int, body: bytes, version: int = 1) -> bytes:
    """One request and the body of its answer. Raises EOFError when there is none, or none of Kafka's: a TLS port answers with an alert."""
    client = b"contactmeter"
    request = struct.pack(">hhih", number, version, 1, len(client)) + client + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    size, sent_for = struct.unpack(">ii", _receive(connection, 8))
    if sent_for != 1 or not 4 <= size <= 10_000_000:
        raise EOFError
    return _receive(connection, size - 4)


def _receive(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise EOFError
        found += part
    return found
