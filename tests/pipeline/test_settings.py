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


@pytest.mark.parametrize("fault", ["contacts", "kill:contacts", "kill:contacts:often", "burn:contacts:1"])
def test_a_fault_that_is_none_is_refused(fault: str) -> None:
    with pytest.raises(InvalidConfiguration, match="CONTACTMETER_FAULT"):
        faults.after_insert(fault)


def test_no_fault_does_nothing() -> None:
    faults.after_insert("")("contacts")
    faults.after_insert("kill:rejects:1")("contacts")
