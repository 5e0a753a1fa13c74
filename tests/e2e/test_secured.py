"""TLS and SASL on the real engines: set-up, worker and connector through a broker that takes nobody else; what wrong settings say."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from urllib3.exceptions import InsecureRequestWarning

from connectors.sender import Sender
from deploy.local import process
from pipeline import topics
from pipeline.kafka_probe import probe, raise_if_hopeless
from pipeline.kafka_security import KafkaSecurity
from pipeline.retention import Period, Retention
from pipeline.settings import from_environment
from pipeline.store.client import Connection, Unavailable
from pipeline.tls import Tls
from pipeline.topics import connected
from schemas.errors import InvalidConfiguration
from tests.connectors.mapped import MAPPING, csv_file, rows
from tests.connectors.test_load import ORGANISATION
from tests.e2e import synthetic
from tests.e2e.running import ROOT, Worker, wait_until
from tests.engines import ClickHouseEngine, start_clickhouse
from tests.secured import PASSWORD, PLAIN_PASSWORD, PLAIN_USER, USER, Certificates, SecuredKafka, tls_in_front_of

KAFKA = "CONTACTMETER_KAFKA"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[SecuredKafka]:
    engine = SecuredKafka(tmp_path_factory.mktemp("kafka-secured"), certificates)
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseEngine]:
    """A server of its own: here are other topics than the tables of the other tests know."""
    engine = start_clickhouse(tmp_path_factory.mktemp("clickhouse-secured"))
    try:
        yield engine
    finally:
        engine.stop()


def sasl(mechanism: str, user: str, password: str, ca: Path) -> KafkaSecurity:
    return KafkaSecurity(True, mechanism, user, password, Tls(KAFKA, str(ca)))


def test_the_retention_of_topics_follows_the_settings(broker: SecuredKafka) -> None:
    def differing(wanted: Retention) -> list[str]:
        return [str(kept) + (f"; deletes {kept.deletes}" if kept.deletes else "") for kept in topics.kept(admin, wanted) if kept.differs]

    with connected(broker.bootstrap, KafkaSecurity()) as admin:
        created = topics.ensure_topics(admin, 1, Retention(events=Period(20)))
        wait_until(lambda: set(created) <= set(admin.list_topics()), "the topics")
        assert differing(Retention(events=Period(20))) == []
        assert differing(Retention()) == ["topic contact-events: kept 20 days, CONTACTMETER_KEEP_EVENTS says 30 days"]
        assert differing(Retention(events=Period(20), rejected=Period(7))) == [
            "topic rejected-events: kept 14 days, CONTACTMETER_KEEP_REJECTED says 7 days; deletes records older than 7 days"
        ]
        for kept in topics.kept(admin, Retention()):
            topics.keep(admin, kept)
        assert differing(Retention()) == []


def test_every_mechanism_gets_in(broker: SecuredKafka, certificates: Certificates) -> None:
    for security in (
        sasl("SCRAM-SHA-256", USER, PASSWORD, certificates.ca),
        sasl("SCRAM-SHA-512", USER, PASSWORD, certificates.ca),
        sasl("PLAIN", PLAIN_USER, PLAIN_PASSWORD, certificates.ca),
    ):
        with connected(broker.secured, security) as admin:
            assert admin.describe_cluster()["brokers"]
        assert probe(broker.secured, security) == ""


def test_a_client_certificate_gets_in(broker: SecuredKafka, certificates: Certificates) -> None:
    files = Tls(KAFKA, str(certificates.ca), str(certificates.client), str(certificates.client_key))
    with connected(broker.mutual, KafkaSecurity(tls=True, files=files)) as admin:
        assert admin.describe_cluster()["brokers"]


@pytest.mark.parametrize(
    ("where", "security", "message"),
    [
        ("secured", ("SCRAM-SHA-512", USER, "mis", "ca"), r"refuses user 'meter' by SCRAM-SHA-512 .*check CONTACTMETER_KAFKA_USER"),
        ("secured", ("PLAIN", PLAIN_USER, "mis", "ca"), r"refuses user 'eenvoudig' by PLAIN .*CONTACTMETER_KAFKA_PASSWORD_FILE"),
        ("secured", ("PLAIN", PLAIN_USER, PLAIN_PASSWORD, "strange_ca"), r"is not trusted: .*CONTACTMETER_KAFKA_CA_FILE must name the"),
        ("secured", ("", "", "", "ca"), r"ends the connection: it may want CONTACTMETER_KAFKA_SASL and a user"),
        ("mutual", ("", "", "", "ca"), r"wants a certificate of this client .*CONTACTMETER_KAFKA_CERTIFICATE_FILE"),
        ("bootstrap", ("", "", "", "ca"), r"does not speak TLS on this port .*CONTACTMETER_KAFKA_TLS=no"),
    ],
)
def test_what_is_wrong_is_said(
    broker: SecuredKafka, certificates: Certificates, where: str, security: tuple[str, str, str, str], message: str
) -> None:
    mechanism, user, password, ca = security
    with pytest.raises(InvalidConfiguration, match=message) as raised:
        raise_if_hopeless(
            getattr(broker, where), KafkaSecurity(True, mechanism, user, password, Tls(KAFKA, str(getattr(certificates, ca))))
        )
    assert "mis" not in str(raised.value).replace("mission", "")


def test_a_client_without_tls_is_told(broker: SecuredKafka) -> None:
    assert "CONTACTMETER_KAFKA_TLS=yes" in probe(broker.secured, KafkaSecurity())
    assert probe(broker.bootstrap, KafkaSecurity()) == ""


def test_nobody_listens_is_no_fault_of_the_settings(certificates: Certificates) -> None:
    assert probe("127.0.0.1:1", sasl("PLAIN", "a", "b", certificates.ca)) == ""


class Site:
    """What the product's processes read here, and how they are run."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory, self.environment = directory, environment

    def cli(self, *arguments: str, code: int = 0, **changed: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT), **changed},
            cwd=self.directory, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode == code, f"contactmeter {' '.join(arguments)} ended with {done.returncode}:\n{said}"
        for secret in (PASSWORD, self.environment["CONTACTMETER_CLICKHOUSE_PASSWORD"]):
            assert secret not in said
        return said


@pytest.fixture
def site(broker: SecuredKafka, server: ClickHouseEngine, certificates: Certificates, tmp_path: Path) -> Iterator[Site]:
    """Kafka by SCRAM over TLS, ClickHouse by TLS that wants a client's certificate."""
    password, organisations = tmp_path / "password", tmp_path / "organisations"
    password.write_text(f"{PASSWORD}\n")
    organisations.mkdir()
    process.write_atomically(organisations / "leiden.yaml", ORGANISATION)
    with tls_in_front_of(server.http_port, certificates, want_client=True) as port:
        yield Site(
            tmp_path,
            {
                "CONTACTMETER_DIR": str(tmp_path / "no-local-stack"),
                "CONTACTMETER_ORGANISATIONS": str(organisations),
                "CONTACTMETER_KEEP_CONTACTS": "forever",
                "CONTACTMETER_KEEP_ANSWERS": "forever",
                "CONTACTMETER_KAFKA": broker.secured,
                "CONTACTMETER_KAFKA_TLS": "yes",
                "CONTACTMETER_KAFKA_SASL": "SCRAM-SHA-512",
                "CONTACTMETER_KAFKA_USER": USER,
                "CONTACTMETER_KAFKA_PASSWORD_FILE": str(password),
                "CONTACTMETER_KAFKA_CA_FILE": str(certificates.ca),
                **server.settings,
                "CONTACTMETER_CLICKHOUSE_HTTP_PORT": str(port),
                "CONTACTMETER_CLICKHOUSE_SECURE": "yes",
                "CONTACTMETER_CLICKHOUSE_CA_FILE": str(certificates.ca),
                "CONTACTMETER_CLICKHOUSE_CERTIFICATE_FILE": str(certificates.client),
                "CONTACTMETER_CLICKHOUSE_KEY_FILE": str(certificates.client_key),
                "CONTACTMETER_LOG": "json",
            },
        )


def counted(client: Client, organisation: str) -> int:
    sql = "SELECT count() FROM contacts FINAL WHERE organisation = {name:String}"
    return int(client.query(sql, parameters={"name": organisation}).result_rows[0][0])


def test_events_go_all_the_way(site: Site, server: ClickHouseEngine) -> None:
    """Set-up, worker and connector, each as a user runs it; then a sender inside another program, with the same settings."""
    assert "topics and tables are in place" in site.cli("setup")
    worker = Worker(site.directory, site.environment)
    client = Connection(server.host, server.http_port, server.user, server.password).open()
    try:
        worker.wait_ready()
        (site.directory / "mapping.yaml").write_text(MAPPING)
        file = csv_file(site.directory / "calls.csv", rows(30))
        site.cli("load", str(file), "--mapping", "mapping.yaml")
        wait_until(lambda: counted(client, "leiden") == 30, "the loaded contacts")
        name = "versleuteld"
        process.write_atomically(site.directory / "organisations" / f"{name}.yaml", synthetic.organisation(name))
        wait_until(lambda: worker.knows(name), "the organisation")
        found = from_environment(site.environment)
        with Sender(found.kafka, security=found.kafka_security.options()) as sender:
            sender.send(name, synthetic.call("a", int(time.time() * 1000) - 60_000))
        wait_until(lambda: counted(client, name) == 1, "the contact")
        assert worker.stop()
        assert PASSWORD not in worker.said
        assert server.password not in worker.said
    finally:
        worker.kill()
        client.close()


def test_a_wrong_password_ends_a_command_with_the_reason(site: Site, certificates: Certificates) -> None:
    wrong = site.directory / "wrong"
    wrong.write_text("mis")
    said = site.cli("setup", code=2, CONTACTMETER_KAFKA_PASSWORD_FILE=str(wrong))
    assert f"refuses user '{USER}' by SCRAM-SHA-512" in said
    assert "Traceback" not in said


def test_clickhouse_behind_tls_that_is_not_trusted(site: Site, server: ClickHouseEngine, certificates: Certificates) -> None:
    port = int(site.environment["CONTACTMETER_CLICKHOUSE_HTTP_PORT"])

    def opened(files: Tls) -> None:
        Connection("127.0.0.1", port, server.user, server.password, files).open(database="default").close()

    client = (str(certificates.client), str(certificates.client_key))
    opened(Tls("CONTACTMETER_CLICKHOUSE", str(certificates.ca), *client))
    with pytest.warns(InsecureRequestWarning):
        opened(Tls("CONTACTMETER_CLICKHOUSE", "", *client, verify=False))
    with pytest.raises(Unavailable, match="CONTACTMETER_CLICKHOUSE_CA_FILE must name the authority"):
        opened(Tls("CONTACTMETER_CLICKHOUSE", str(certificates.strange_ca), *client))
    with pytest.raises(Unavailable, match="ClickHouse does not answer"):
        opened(Tls("CONTACTMETER_CLICKHOUSE", str(certificates.ca)))
