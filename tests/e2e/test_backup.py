"""Backup and restore with events going on: what is lost comes back, what came after the backup comes from the log, nothing counts twice."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.store.client import DATABASE, VIEWS
from schemas.partitions import partition_of
from tests.e2e import synthetic
from tests.e2e.running import Stack, Worker, running_stack, wait_until


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: everything that it stores is destroyed here."""
    with running_stack(tmp_path_factory.mktemp("backup")) as running:
        yield running


def now() -> int:
    return int(time.time() * 1000)


def destroy(stack: Stack) -> None:
    client = stack.connection.open(database="default")
    for database in (VIEWS, DATABASE):
        client.command(f"DROP DATABASE {database} SYNC")
    client.close()


def start(stack: Stack, name: str) -> Worker:
    stack.add_organisation(name, synthetic.organisation(name))
    worker = stack.worker()
    wait_until(lambda: worker.knows(name), "the organisation")
    return worker.wait_ready()


def test_after_a_loss_a_backup_and_the_log_give_all_back(own: Stack) -> None:
    name = "verloren"
    worker = start(own, name)
    began = now()
    own.send(name, synthetic.history(200, began, seed=5))
    own.settle()
    own.cli("backup", "zondag")
    events = synthetic.history(200, began, seed=6)
    half = len(events) // 2
    own.send(name, events[:half], size=3)  # while the worker writes these, the second one is made
    said = own.cli("backup", "maandag", "--base", "zondag")
    assert "backup maandag is made" in said
    own.send(name, events[half:])
    own.settle()
    before = own.stored(name)
    assert len(before["contacts"]) > 200
    assert "never finished" not in own.cli("backup", "--list")

    refused = own.cli("restore", "zondag", code=2)
    assert refused == ""
    assert worker.stop()
    destroy(own)
    said = own.cli("restore", "maandag")
    assert "backup maandag of" in said
    assert own.count("contacts", name) > 200
    (read_again,) = [int(line.split()[3].replace(",", "")) for line in said.splitlines() if line.startswith("workers will read")]
    assert read_again > 0
    worker = own.worker().wait_ready()
    own.settle()
    assert own.stored(name) == before
    own.check_live(name)
    assert worker.stop()


def test_an_older_backup_in_the_place_of_newer_data(own: Stack) -> None:
    """Everything after the first backup is replaced, and read again from the log."""
    name = "terug"
    worker = start(own, name)
    own.send(name, synthetic.history(50, now(), seed=7))
    own.settle()
    before = own.stored(name)
    assert worker.stop()
    assert own.cli("restore", "zondag", code=2) == ""
    own.query("INSERT INTO audit VALUES (now64(3), '', 'tester', 'remark', 'after the backup')")
    own.cli("restore", "zondag", "--replace")
    assert own.count("contacts", name) == 0
    actions = [action for (action,) in own.query("SELECT action FROM audit WHERE organisation = '' ORDER BY at")]
    assert actions.count("remark") == 1  # the trail goes on
    assert actions[-1] == "restore"
    worker = own.worker().wait_ready()
    own.settle()
    assert own.stored(name) == before
    own.check_live(name)
    assert worker.stop()


def test_a_restore_that_fails_leaves_what_was_there(own: Stack) -> None:
    name = "blijft"
    worker = start(own, name)
    own.send(name, synthetic.history(10, now(), seed=8))
    own.settle()
    before = own.stored(name)
    own.cli("restore", "zondag", "--replace", code=2)  # a worker runs
    assert worker.stop()
    own.cli("restore", "nooit", "--replace", code=2)
    assert own.stored(name) == before
    with own.views() as views:
        assert name in views.organisations()
    assert own.lag() == 0


def test_names_and_bases_are_checked(own: Stack) -> None:
    own.cli("backup", "zondag", code=2)
    own.cli("backup", "dinsdag", "--base", "nooit", code=2)


def test_the_offsets_lie_in_the_backup(own: Stack, tmp_path: Path) -> None:
    ((offsets,),) = own.query("SELECT offsets FROM backups FINAL WHERE name = 'zondag'")
    assert offsets[partition_of("verloren")] > 0
