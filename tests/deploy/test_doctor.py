"""What `doctor` finds."""

import json
import shutil
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.local import jars
from deploy.local.stack import Layout, password
from pipeline.cli import doctor
from pipeline.cli.doctor import Finding
from tests.engines import KafkaEngine


def worst(findings: Iterable[Finding]) -> Finding:
    return max(findings, key=lambda finding: ("ok", "warning", "error").index(finding.level))


@pytest.fixture
def place(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "data")
    made.create()
    password(made.password_file)
    return made


def test_a_sound_machine_has_no_errors(kafka: KafkaEngine, place: Layout) -> None:
    findings = doctor.examine(place)
    assert [finding for finding in findings if finding.level == "error"] == []
    assert {finding.check for finding in findings} >= {"python", "packages", "kafka", "disk", "memory", "clock", "directory", "stack"}


def test_every_finding_that_is_not_ok_says_what_to_do(place: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACTMETER_CACHE", str(tmp_path / "empty"))
    place.password_file.chmod(0o644)
    findings = doctor.examine(place)
    assert worst(findings).level == "error"
    assert all(finding.remedy for finding in findings if finding.level != "ok")


def test_packages_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: "0.0.1")
    findings = list(doctor.packages())
    assert [finding.level for finding in findings] == ["error"] * len(doctor.ENGINES)
    assert "chdb-core 0.0.1 is not the version this was made with" in {finding.message for finding in findings}
    assert any("chdb-core==26.9.0" in finding.remedy for finding in findings)


def test_jars_missing_and_altered(kafka: KafkaEngine, tmp_path: Path) -> None:
    cache = tmp_path / "jars"
    missing = worst(doctor.kafka_jars(cache))
    assert (missing.level, missing.check) == ("warning", "kafka")
    assert jars.REPOSITORY_VARIABLE in missing.remedy
    (tmp_path / "file").touch()
    unwritable = worst(doctor.kafka_jars(tmp_path / "file" / "jars"))
    assert unwritable.level == "error"
    assert f"{tmp_path / 'file' / 'jars'} cannot be written" in unwritable.message
    shutil.copytree(jars.cache_directory(), cache)
    assert worst(doctor.kafka_jars(cache)).level == "ok"
    victim = next(cache.glob("lz4-java-*.jar"))
    victim.write_bytes(b"not a jar")
    altered = worst(doctor.kafka_jars(cache))
    assert altered.level == "error"
    assert str(victim) in altered.message


def test_little_memory_and_little_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo = tmp_path / "meminfo"
    for kilobytes, level in ((500_000, "error"), (1_500_000, "warning"), (9_000_000, "ok")):
        meminfo.write_text(f"MemTotal: 1 kB\nMemAvailable:    {kilobytes} kB\n")
        assert worst(doctor.memory(meminfo)).level == level
    for free, level in ((10**8, "error"), (2 * 10**9, "warning"), (10**11, "ok")):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: shutil._ntuple_diskusage(10**12, 0, free))
        assert worst(doctor.disk(tmp_path / "not" / "there")).level == level


def test_a_clock_in_the_past() -> None:
    finding = worst(doctor.clock(datetime(1970, 1, 1, tzinfo=UTC)))
    assert finding.level == "error"
    assert "1970-01-01" in finding.message


def test_secrets_that_others_can_read(place: Layout) -> None:
    assert worst(doctor.directory(place)).level == "ok"
    place.password_file.chmod(0o640)
    finding = worst(doctor.directory(place))
    assert finding.level == "error"
    assert finding.remedy == f"chmod go= {place.password_file}"


def test_a_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    findings = doctor.examine(Layout(tmp_path / "file"))
    assert f"{tmp_path / 'file'} is a file, not a directory" in [found.message for found in findings if found.level == "error"]


def test_a_killed_stack_and_a_port_taken_since(place: Layout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        content = {"pid": 1, "ports": {"kafka": port}, "services": {"kafka": {"state": "ready", "pid": 1, "restarts": 0}}}
        place.stack_file.write_text(json.dumps(content))
        messages = [finding.message for finding in doctor.last_run(place) if finding.level == "warning"]
    assert messages == ["the last stack was killed, not ended", f"port {port} of the last run (kafka) is taken by another program"]


def test_a_stack_file_that_cannot_be_read(place: Layout) -> None:
    place.stack_file.write_text("{half")
    assert worst(doctor.last_run(place)).remedy.startswith("Delete it")


def test_rejects_that_wait_and_a_brake() -> None:
    assert list(doctor.refusals({"worker": None, "open_rejects": None})) == [], "nothing runs"
    assert worst(doctor.refusals({"worker": {"braked": ""}, "open_rejects": {}})).level == "ok"
    waiting = worst(doctor.refusals({"worker": None, "open_rejects": {"": 2, "stad": 1_000}}))
    assert (waiting.level, waiting.message) == ("warning", "1,002 rejects wait for a decision: stad 1,000, (no key) 2")
    braked = worst(doctor.refusals({"worker": {"braked": "all was refused"}, "open_rejects": {"stad": 1}}))
    assert (braked.level, braked.message) == ("error", "the worker stands still: all was refused")
    assert "contactmeter resume" in braked.remedy


def test_exit_code_and_json(place: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()
    doctor.register(app)
    monkeypatch.setenv("CONTACTMETER_DIR", str(place.directory))
    sound = CliRunner().invoke(app, ["--json"])
    assert sound.exit_code == 0
    assert {finding["check"] for finding in json.loads(sound.stdout)} >= {"python", "disk"}
    place.password_file.chmod(0o666)
    broken = CliRunner().invoke(app, [])
    assert broken.exit_code == 1
    assert "chmod go=" in broken.stdout
