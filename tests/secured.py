"""Kafka and ClickHouse behind TLS, with certificates made for this test run: the same real engines, another way to them."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from deploy.local import network, process
from deploy.local.kafka import Kafka
from tests.engines import Engine

USER, PASSWORD = "meter", "g3heim-en-lang"
PLAIN_USER, PLAIN_PASSWORD = "eenvoudig", "ook-geheim"


class Certificates:
    """One authority with a certificate for loopback, one for a client, and another authority that signed nothing here. PEM files."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        authority, stranger = trustme.CA(), trustme.CA()
        server, client = authority.issue_cert("127.0.0.1", "localhost"), authority.issue_cert("contactmeter@client")
        self.ca, self.strange_ca = directory / "ca.pem", directory / "strange-ca.pem"
        self.server, self.client, self.client_key = directory / "server.pem", directory / "client.pem", directory / "client-key.pem"
        authority.cert_pem.write_to_path(self.ca)
        stranger.cert_pem.write_to_path(self.strange_ca)
        self.server.write_bytes(_as_java_reads_it(server.private_key_pem.bytes()) + b"".join(pem.bytes() for pem in server.cert_chain_pems))
        client.cert_chain_pems[0].write_to_path(self.client)
        client.private_key_pem.write_to_path(self.client_key)


def _as_java_reads_it(key: bytes) -> bytes:
    """The same key in PKCS 8."""
    loaded = serialization.load_pem_private_key(key, password=None)
    return loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class SecuredKafka(Engine):
    """A broker with three listeners: `bootstrap` speaks plainly, `secured` SASL over TLS, `mutual` TLS with a client's certificate."""

    def __init__(self, directory: Path, certificates: Certificates) -> None:
        plain, controller, secured, mutual = network.free_ports(4)
        self._kafka = Kafka(directory, plain, controller)
        self._properties = directory / "server.properties"
        self._ports, self._certificates = (plain, controller, secured, mutual), certificates
        self.bootstrap, self.secured, self.mutual = (f"127.0.0.1:{port}" for port in (plain, secured, mutual))
        super().__init__(directory / "kafka.log", self._prepare_secured, self._kafka.ready, {})
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
                done = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(USER, mechanism, PASSWORD)])
                assert done == {USER: None}, done
        finally:
            admin.close()

    def _prepare_secured(self) -> list[str]:
        command = self._kafka.prepare()
        plain, controller, secured, mutual = self._ports
        changed = {
            "listeners": f"PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},"
            f"SECURED://127.0.0.1:{secured},MUTUAL://127.0.0.1:{mutual}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},SECURED://127.0.0.1:{secured},MUTUAL://127.0.0.1:{mutual}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL,MUTUAL:SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._certificates.server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._certificates.ca),
            "listener.name.mutual.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.secured.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'user_{PLAIN_USER}="{PLAIN_PASSWORD}";',
        }
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            changed[f"listener.name.secured.{mechanism}.sasl.jaas.config"] = (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            )
        lines = [line for line in self._properties.read_text().splitlines() if line.partition("=")[0] not in changed]
        process.write_atomically(self._properties, "\n".join([*lines, *(f"{name}={value}" for name, value in changed.items()), ""]))
        return command


@contextlib.contextmanager
def tls_in_front_of(port: int, certificates: Certificates, want_client: bool = False) -> Iterator[int]:
    """A port that speaks TLS and passes all on to a loopback port that does not: the embedded ClickHouse server can't do it itself."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates.ca))
    context.load_cert_chain(certificates.server)
    context.verify_mode = ssl.CERT_REQUIRED if want_client else ssl.CERT_NONE
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listening, context, port), daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def _accept(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, context, port), daemon=True).start()


def _serve(connection: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with (
        connection,
        contextlib.suppress(OSError),
        context.wrap_socket(connection, server_side=True) as secured,
        socket.create_connection(("127.0.0.1", port)) as behind,
    ):
        answering = threading.Thread(target=_pass_on, args=(behind, secured), daemon=True)
        answering.start()
        _pass_on(secured, behind)
        answering.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
