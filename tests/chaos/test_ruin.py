"""What ruins a stack for others: a disk that fills up to the last byte, and partitions added to contact-events. A stack of its own."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions

from pipeline.rows import COLUMNS
from pipeline.store.client import Connection
from schemas.partitions import PARTITIONS
from schemas.topics import CONTACT_EVENTS
from tests.chaos import recovery, truth
from tests.chaos.crew import PATIENT, crew
from tests.chaos.forms import Form
from tests.e2e.running import Stack, running_stack, wait_until
from tests.engines import ClickHouseEngine, start_clickhouse

IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
DISK_MB = 96


class OnSmallDisk(ClickHouseEngine):
    """Its data on a file system in memory of its own, in a mount namespace that its process alone is in: gone when that ends."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "db"
        super().__init__(directory)

    def start(self) -> None:
        """As any engine, once: what it stored does not outlive it."""
        self._data.mkdir(parents=True)
        script = f'mount -t tmpfs -o size={DISK_MB}m tmpfs "$0" && exec "$@"'
        unshare, sh = (str(shutil.which(name)) for name in ("unshare", "sh"))
        prepare = self._prepare
        self._prepare = lambda: [unshare, *IN_A_NAMESPACE[1:], sh, "-c", script, str(self._data), *prepare()]
        super().start()

    @property
    def disk(self) -> Path:
        """Its disk as seen from here."""
        return Path(f"/proc/{self.pid}/root{self._data}")

    def fill(self) -> None:
        """Leave not a byte free, also where the server has freed some since the last time."""
        with (self.disk / "ballast").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def free(self) -> None:
        """Give back what `fill` took."""
        (self.disk / "ballast").unlink()


def can_mount() -> bool:
    """Whether this system lets us mount a file system in a namespace of our own; some let nobody but root."""
    try:
        subprocess.run([*IN_A_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


CAN_MOUNT = can_mount()
"""Where it is not so the disk that is really full is left out of the parameters; the server that says so is there everywhere."""


class OnReservedDisk(ClickHouseEngine):
    """A server that can be told to keep more free than there is: it then refuses inserts as on a full disk. Every system can do that."""

    SETTING = "min_free_disk_bytes_to_perform_insert"

    def fill(self) -> None:
        """Refuse every insert into the tables that a worker writes."""
        self._alter(f"MODIFY SETTING {self.SETTING} = {10**18}")

    def free(self) -> None:
        """Take inserts again."""
        self._alter(f"RESET SETTING {self.SETTING}")

    def _alter(self, what: str) -> None:
        with contextlib.closing(Connection(self.host, self.http_port, self.user, self.password).open()) as client:
            for table in COLUMNS:
                client.command(f"ALTER TABLE {table} {what}")


DISKS: list[type[OnSmallDisk] | type[OnReservedDisk]] = [OnReservedDisk, *([OnSmallDisk] if CAN_MOUNT else [])]


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("doomed"), getattr(request, "param", start_clickhouse)) as running:
        yield running


@pytest.mark.parametrize("doomed", DISKS, indirect=True, ids=lambda disk: disk.__name__)
def test_a_full_disk(doomed: Stack, right: truth.Truth, form: Form) -> None:
    """Full while contacts must be looked up, where the system lets us to the last byte: the worker waits and believes no empty answer."""
    engine = doomed.clickhouse
    assert isinstance(engine, OnSmallDisk | OnReservedDisk)
    told = recovery.scenario(f"disk full ({form.name})")
    name = truth.add(doomed, [f"full-{form.name}"])[0]
    parts = right.parts(2 * form.rounds + 1)
    with crew(doomed, one={**PATIENT, "CONTACTS_IN_MEMORY": "3"}) as workers:
        doomed.send(name, parts[0])
        workers.settle()
        for restarted, part in zip([False, True] * form.rounds, parts[1:], strict=True):

            def says_so() -> bool:
                engine.fill()
                waiting_for = workers["one"].get("/status")[1].get("waiting_for", "")
                return "not enough space" in waiting_for or "enough free space" in waiting_for

            engine.fill()
            if restarted:  # it must compute its state on the full disk
                workers["one"].kill()
            doomed.send(name, part)
            workers.wait(says_so, "the worker to say so")
            engine.free()
            told.add("restarted on a full disk" if restarted else "disk full", recovery.seconds_to_recover(doomed, workers.ready))
        assert workers.starts == 1 + form.rounds, "it waits, it does not end"
        right.check(doomed, [name])


def test_partitions_are_added(doomed: Stack, form: Form) -> None:
    """Nobody can keep an administrator from it; no worker measures with the wrong number, and each says what to do."""
    running = doomed.worker().wait_ready()
    admin = KafkaAdminClient(bootstrap_servers=doomed.kafka.bootstrap)
    try:
        admin.create_partitions({CONTACT_EVENTS: NewPartitions(PARTITIONS + 1)})
    finally:
        admin.close()
    said = f"topic {CONTACT_EVENTS} has {PARTITIONS + 1} partitions; it must have {PARTITIONS}"
    wait_until(lambda: running.ended() is not None, "the running worker to notice")
    assert f"it was given partition {PARTITIONS} of {CONTACT_EVENTS}" in running.said
    started = doomed.worker()
    assert started.wait_end() == 2
    assert said in started.said
    doomed.cli("setup", code=2)
