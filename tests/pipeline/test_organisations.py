"""Which configuration is in force: files, what the store says, and who wins."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.health import Health
from pipeline.organisations import Organisations
from pipeline.store.configuration import JUDGING, InForce
from schemas import yamlfile
from schemas.organisation import Organisation

NAME = "voorbeeld"
TEXT = """
organisation: voorbeeld
title: {nl: V, en: V}
systems: {centrale: {sources: ["urn:nld:oin:1:systeem:centrale"]}}
channels: {telephone: {}}
norms:
  - {id: n, title: {nl: n, en: n}, applies_to: {channels: [telephone]}, clock: elapsed, threshold: 45s, stop: answered, source: x}
"""
STRICTER = TEXT.replace("45s", "20s")
KINDER = TEXT.replace("title: {nl: V,", "title: {nl: Voorbeeld,")


class Shelf:
    """The stored configurations: the highest generation wins, then the latest, as the table's version says."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, str, int]] = []
        self.has_data = False
        self.trail: list[tuple[str, str, str]] = []
        self.before_reading: Callable[[], None] = lambda: None

    def put(self, text: str, generation: int, judging: int = JUDGING) -> None:
        self.rows.append((generation, len(self.rows), text, judging))

    def configuration_stamp(self) -> tuple[int, int]:
        return len(self.rows), 0

    def in_force(self, organisation: str = "") -> dict[str, InForce]:
        act, self.before_reading = self.before_reading, lambda: None
        if self.rows:
            act()
        if not self.rows:
            return {}
        generation, _, text, judging = max(self.rows)
        return {NAME: InForce(yamlfile.loads(text, Organisation, "stored"), generation, self.has_data, text, judging)}

    def note(self, organisation: str, action: str, detail: str) -> None:
        self.trail.append((organisation, action, detail))

    def register(self, organisation: Organisation, text: str, generation: int, readers: tuple[str, ...], now_ms: int) -> None:
        self.put(text, generation)


class Place:
    """A directory of files and a store."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / f"{NAME}.yaml"
        self.shelf = Shelf()
        self.health = Health()
        self.found = Organisations(directory, self.shelf, (), self.health, lambda: 1_772_000_000_000)

    def write(self, text: str) -> None:
        self.file.write_text(f"{text}# {len(text)} {self.file.exists()}\n")

    def threshold(self) -> tuple[str | None, int]:
        entry = self.found.in_force()[NAME]
        return entry.organisation.norms[0].threshold, entry.generation


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_file_comes_into_force_and_a_change_that_judges_otherwise_does_not(place: Place) -> None:
    place.write(TEXT)
    assert place.found.refresh()
    place.shelf.has_data = True
    place.write(STRICTER)
    assert not place.found.refresh()
    assert place.threshold() == ("45s", 0)
    assert "contactmeter rejudge voorbeeld" in place.health.refused[NAME]
    place.write(KINDER)
    assert place.found.refresh()
    assert place.health.refused == {}


def test_what_the_store_says_is_taken_up_and_the_refused_file_is_right_then(place: Place) -> None:
    place.write(TEXT)
    place.found.refresh()
    place.shelf.has_data = True
    place.write(STRICTER)
    place.found.refresh()
    place.shelf.put(STRICTER, 1)  # `contactmeter rejudge`
    assert place.found.changed()
    assert place.found.refresh()
    assert place.threshold() == ("20s", 1)
    assert place.health.refused == {}


def test_a_worker_that_reads_the_file_while_it_is_put_in_force_undoes_nothing(place: Place) -> None:
    """Between its two looks at the store somebody registers the next generation: that stays."""
    place.write(TEXT)
    place.found.refresh()
    place.shelf.has_data = True
    place.write(STRICTER)
    place.shelf.before_reading = lambda: place.shelf.put(STRICTER, 1)
    place.found.refresh()
    place.found.refresh()
    assert place.threshold() == ("20s", 1)
    assert [generation for generation, *_ in place.shelf.rows] == [0, 1]


def test_what_an_earlier_revision_judged_is_of_an_older_generation(place: Place) -> None:
    place.write(TEXT)
    place.shelf.put(TEXT, 3, judging=JUDGING - 1)
    place.shelf.has_data = True
    place.found.refresh()
    assert place.threshold() == ("45s", 4)
    place.found.refresh()
    assert place.threshold() == ("45s", 4)
    assert [(name, action) for name, action, _ in place.shelf.trail] == [(NAME, "judging")]


def test_without_contacts_nothing_is_judged_again(place: Place) -> None:
    place.shelf.put(TEXT, 0, judging=JUDGING - 1)
    place.found.refresh()
    place.shelf.has_data = True
    place.found.refresh()
    assert place.threshold() == ("45s", 0)


def test_a_file_that_goes_or_is_wrong_leaves_the_stored_one_in_force(place: Place) -> None:
    place.write(TEXT)
    place.found.refresh()
    place.file.write_text("organisation: [")
    place.found.refresh()
    assert place.threshold() == ("45s", 0)
    assert place.health.refused
    place.file.unlink()
    place.found.refresh()
    assert (place.threshold(), place.health.refused) == (("45s", 0), {})
