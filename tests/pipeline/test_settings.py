"""Settings from the environment, and what a wrong one says."""

from pathlib import Path

import pytest

from pipeline import faults
from pipeline.settings import Settings, from_environment
from schemas.errors import InvalidConfiguration


def test_nothing_set_is_the_default_and_empty_is_not_set() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({"CONTACTMETER_KAFKA": ""}) == Settings()


def test_every_variable_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("geheim\n")
    found = from_environment(
        {
            "CONTACTMETER_KAFKA": "a:1,b:2",
            "CONTACTMETER_CLICKHOUSE_HTTP_PORT": "18123",
            "CONTACTMETER_CLICKHOUSE_PASSWORD_FILE": str(secret),
            "CONTACTMETER_ORGANISATIONS": "/etc/organisations",
            "CONTACTMETER_BOARD_USERS": "board,second",
            "CONTACTMETER_STALL_AFTER_S": "7.5",
        }
    )
    assert (found.kafka, found.clickhouse_port, found.clickhouse_password) == ("a:1,b:2", 18123, "geheim")
    assert (found.organisations, found.boards, found.stall_after_s) == (Path("/etc/organisations"), ("board", "second"), 7.5)
    assert "geheim" not in repr(found)


def test_either_limit_of_the_brake_can_be_off() -> None:
    found = from_environment({"CONTACTMETER_BRAKE_SHARE": "off", "CONTACTMETER_BRAKE_RUN": "200"})
    assert (found.brake_share, found.brake_run) == (None, 200)
    found = from_environment({"CONTACTMETER_BRAKE_SHARE": "0.9", "CONTACTMETER_BRAKE_RUN": "OFF"})
    assert (found.brake_share, found.brake_run) == (0.9, None)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CONTACTMETER_HEALTH_PORT", "http", "CONTACTMETER_HEALTH_PORT is 'http'; it must be a number above 0"),
        ("CONTACTMETER_STALL_AFTER_S", "nan", "CONTACTMETER_STALL_AFTER_S is 'nan'; it must be a number above 0"),
        ("CONTACTMETER_BRAKE_RUN", "never", "must be a number above 0"),
        ("CONTACTMETER_BATCH_BYTES", "-1", "it must be a number above 0"),
        ("CONTACTMETER_REPLICATION", "1e400", "it must be a number above 0"),
        ("CONTACTMETER_CLICKHOUSE_SECURE", "maybe", "write yes or no"),
        ("CONTACTMETER_CLICKHOUSE_PASSWORD_FILE", "/nowhere/password", "names /nowhere/password, which can't be read"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        from_environment({name: value})


def with_sasl(**changed: str) -> dict[str, str]:
    given = {"SASL": "SCRAM-SHA-512", "USER": "meter", "PASSWORD": "geheim", "TLS": "yes", **changed}
    return {f"CONTACTMETER_KAFKA_{name}": value for name, value in given.items()}


def test_kafka_takes_the_same_settings_everywhere() -> None:
    found = from_environment(with_sasl()).kafka_security
    assert found.protocol == "SASL_SSL"
    assert found.options()["sasl_plain_password"] == "geheim"
    assert found.options()["ssl_context"] is found.context
    assert from_environment({}).kafka_security.options() == {"security_protocol": "PLAINTEXT"}


def test_no_secret_is_shown() -> None:
    found = from_environment({**with_sasl(KEY_PASSWORD="sleutel"), "CONTACTMETER_CLICKHOUSE_PASSWORD": "woord"})
    for shown in (repr(found), repr(found.kafka_security), repr(found.kafka_security.files), str(found)):
        assert not {"geheim", "sleutel", "woord"} & set(shown.replace("'", " ").split())


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (with_sasl(SASL="GSSAPI"), "CONTACTMETER_KAFKA_SASL is 'GSSAPI'; it must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
        (with_sasl(PASSWORD=""), "takes CONTACTMETER_KAFKA_USER and CONTACTMETER_KAFKA_PASSWORD_FILE"),
        (with_sasl(SASL=""), "CONTACTMETER_KAFKA_SASL is not; name the mechanism"),
        (with_sasl(TLS=""), "CONTACTMETER_KAFKA_TLS is not; write yes, or no"),
        (with_sasl(TLS="no", CA_FILE="ca.pem"), "certificates for Kafka are set, TLS is not"),
        (with_sasl(CA_FILE="/nowhere/ca.pem"), "CONTACTMETER_KAFKA_CA_FILE names /nowhere/ca.pem, .*No such file"),
        (with_sasl(CA_FILE=__file__), "CONTACTMETER_KAFKA_CA_FILE names .*holds no certificate in PEM form"),
        (with_sasl(CERTIFICATE_FILE=__file__), "CONTACTMETER_KAFKA_CERTIFICATE_FILE names .*both must be PEM and belong together"),
        (with_sasl(KEY_FILE="key.pem"), "a key needs its certificate"),
        ({"CONTACTMETER_CLICKHOUSE_CA_FILE": "ca.pem"}, "CONTACTMETER_CLICKHOUSE_SECURE must be yes"),
        ({"CONTACTMETER_CLICKHOUSE_VERIFY": "no"}, "CONTACTMETER_CLICKHOUSE_SECURE must be yes"),
        (
            {"CONTACTMETER_CLICKHOUSE_SECURE": "yes", "CONTACTMETER_CLICKHOUSE_CA_FILE": "/nowhere/ca.pem"},
            "CONTACTMETER_CLICKHOUSE_CA_FILE names /nowhere/ca.pem",
        ),
        ({"CONTACTMETER_LOG": "xml"}, "CONTACTMETER_LOG is 'xml'; it must be text or json"),
    ],
)
def test_what_is_missing_or_contradicts_is_said(environment: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        from_environment(environment)


@pytest.mark.parametrize("fault", ["contacts", "kill:contacts", "kill:contacts:often", "burn:contacts:1"])
def test_a_fault_that_is_none_is_refused(fault: str) -> None:
    with pytest.raises(InvalidConfiguration, match="CONTACTMETER_FAULT"):
        faults.after_insert(fault)


def test_no_fault_does_nothing() -> None:
    faults.after_insert("")("contacts")
    faults.after_insert("kill:rejects:1")("contacts")
