"""The organisations in force: their YAML files, held against what the store says is in force."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from pipeline import metrics
from pipeline.calendars import local_date
from pipeline.configured import Configured
from pipeline.health import Health
from pipeline.store.configuration import JUDGING, InForce, why_refused
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation, load_organisation

log = logging.getLogger(__name__)


class ConfigurationStore(Protocol):
    """What is needed of the store."""

    def configuration_stamp(self) -> tuple[int, int]: ...
    def in_force(self, organisation: str = "") -> dict[str, InForce]: ...
    def note(self, organisation: str, action: str, detail: str) -> None: ...
    def register(self, organisation: Organisation, text: str, generation: int, readers: tuple[str, ...], now_ms: int) -> None: ...


class Organisations:
    """Takes up the files of a directory, and what others put in force in the store.

    What is stored as in force stays so, whatever becomes of its file: one that is wrong, refused or gone changes nothing, and it is said
    why. (Were it dropped, every event of that organisation would be refused.) Of workers with different files the store decides: a file is
    looked at when it is new or changed, the store always.

    readers: ClickHouse users that may read every organisation here. clock: epoch milliseconds.
    """

    def __init__(
        self,
        directory: Path,
        store: ConfigurationStore,
        readers: tuple[str, ...],
        health: Health,
        clock: Callable[[], int],
    ) -> None:
        self._directory = directory
        self._store = store
        self._readers = readers
        self._health = health
        self._clock = clock
        self._seen: dict[Path, tuple[int, int]] = {}
        self._named: dict[Path, str] = {}
        self._refused: dict[str, Path] = {}
        self._in_force: dict[str, Configured] | None = None
        self._stamp: tuple[int, int] = (0, 0)

    def in_force(self) -> dict[str, Configured]:
        """By organisation; a new dictionary at every change, an empty one before the first refresh."""
        return self._in_force or {}

    def present(self) -> dict[str, Configured]:
        """As `in_force`, after a look at what others put in force meanwhile: rows must not be judged by what is no longer. Blocks."""
        self.refresh()
        return self.in_force()

    def changed(self) -> bool:
        """Whether a file is new, written again or gone, or the store says something else: then `refresh` has something to do. Blocks."""
        return self._in_force is None or self._files() != self._seen or self._store.configuration_stamp() != self._stamp

    def _files(self) -> dict[Path, tuple[int, int]]:
        return {path: stamp for path in sorted(self._directory.glob("*.yaml")) if (stamp := _stamp(path)) is not None}

    def refresh(self) -> bool:
        """Look at directory and store again, and whether anything came into force. Blocks, and waits while ClickHouse is unavailable."""
        files = self._files()
        gone = {path: self._named.pop(path, path.stem) for path in self._seen if path not in files}
        for path, name in gone.items():
            del self._seen[path]
            self._accept(name, path.stem)
        stamp = self._store.configuration_stamp()
        before = self.in_force()
        found = before if stamp == self._stamp and self._in_force is not None else self._stored(before)
        for path in [path for path, seen in files.items() if self._seen.get(path) != seen]:
            self._seen[path] = files[path]
            try:
                configured = self._take_up(path, found)
            except InvalidConfiguration as error:
                self._refuse(path.stem, str(error))
                continue
            found = {**found, configured.organisation.organisation: configured}
        first = self._in_force is None
        unnamed = found.keys() - set(self._named.values()) - {path.stem for path in files}
        for name in sorted(unnamed if first else unnamed & set(gone.values())):
            log.warning("organisation %s: no file names it (any more); its stored configuration stays in force", name)
        self._in_force, self._stamp = found, stamp
        return first or any(before.get(name) is not configured for name, configured in found.items())

    def _stored(self, before: Mapping[str, Configured]) -> dict[str, Configured]:
        """What the store says is in force, as judged by this software: rows that an earlier revision judged are of an older generation."""
        found = dict(before)  # one that can't be read now stays as it was
        for name, stored in self._store.in_force().items():
            generation = stored.generation
            if stored.judging < JUDGING:
                if stored.has_data:
                    generation += 1
                    log.warning("organisation %s: judged by an earlier version; its contacts are judged again", name)
                self._store.register(stored.organisation, stored.text, generation, self._readers, self._clock())
                self._store.note(name, "judging", f"generation {generation}: judged by revision {JUDGING}, before by {stored.judging}")
            known = before.get(name)
            if known is not None and (known.organisation, known.generation) == (stored.organisation, generation):
                found[name] = known
                continue
            if known is not None:
                log.warning("organisation %s: the store says otherwise; generation %d is in force", name, generation)
            refused = self._refused.get(name)
            if refused is not None:
                self._seen.pop(refused, None)  # it may be what was put in force
            found[name] = Configured.of(stored.organisation, generation)
        return found

    def _take_up(self, path: Path, in_force: Mapping[str, Configured]) -> Configured:
        organisation = load_organisation(path)
        name = organisation.organisation
        other = next((file for file, named in self._named.items() if named == name and file != path), None)
        if other is not None:
            raise InvalidConfiguration(f"{path}: organisation {name!r} already has a file, {other.name}; keep one")
        self._named[path] = name
        stored = self._store.in_force(name).get(name)  # afresh, and all that follows rests on this one reading
        if stored is None:
            before = None
        else:
            before = in_force.get(name)
            if before is None or (before.organisation, before.generation) != (stored.organisation, stored.generation):
                before = Configured.of(stored.organisation, stored.generation)
        today = local_date(self._clock(), ZoneInfo(organisation.zone))
        why = why_refused(organisation, stored, today) if stored is not None else ""
        if before is not None and why:
            self._refused[name] = path
            self._refuse(
                name,
                f"{path}: {why}. Contacts judged by the configuration in force are stored; it stays in force until they are judged again "
                f"(`contactmeter rejudge {name}`)",
            )
            return before
        self._accept(name, path.stem)
        if before is not None and before.organisation == organisation:
            return before
        try:
            configured = Configured.of(organisation, before.generation if before is not None else 0)
        except InvalidConfiguration as error:
            raise InvalidConfiguration(f"{path}: {error}") from None
        self._store.register(organisation, _text(path), configured.generation, self._readers, self._clock())
        log.warning("organisation %s: configuration of %s is in force", name, path.name)
        return configured

    def _accept(self, *names: str) -> None:
        """Nothing is refused under these names any more."""
        self._health.refused = {key: value for key, value in self._health.refused.items() if key not in names}
        for name in names:
            self._refused.pop(name, None)
            metrics.REFUSED.labels(name).set(0)

    def _refuse(self, name: str, why: str) -> None:
        self._health.refused = {**self._health.refused, name: why}
        metrics.REFUSED.labels(name).set(1)
        log.error("configuration refused: %s", why)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidConfiguration(f"{path}: can't be read any more ({error.strerror})") from None


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells a changed file: when and how large it was written; None when it is gone."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_size
