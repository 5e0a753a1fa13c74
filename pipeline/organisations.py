"""The organisations in force: their YAML files, held against what the store says is in force."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from pipeline import metrics
from pipeline.calendars import local_date
from pipeline.configured import Configured
from pipeline.health import Health
from pipeline.store.configuration import InForce, why_refused
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation, load_organisation

log = logging.getLogger(__name__)


class ConfigurationStore(Protocol):
    """What is needed of the store."""

    def in_force(self) -> dict[str, InForce]: ...
    def register(self, organisation: Organisation, text: str, generation: int, readers: tuple[str, ...], now_ms: int) -> None: ...


class Organisations:
    """Takes up the files of a directory. What is stored as in force stays so, whatever becomes of its file: one that is wrong, refused
    or gone changes nothing, and it is said why. (Were it dropped, every event of that organisation would be refused.)

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
        self._in_force: dict[str, Configured] | None = None

    def in_force(self) -> dict[str, Configured]:
        """By organisation; a new dictionary at every change, an empty one before the first refresh."""
        return self._in_force or {}

    def changed(self) -> bool:
        """Whether a file is new, written again or gone: then `refresh` has something to do. Cheap."""
        return self._in_force is None or self._files() != self._seen

    def _files(self) -> dict[Path, tuple[int, int]]:
        return {path: stamp for path in sorted(self._directory.glob("*.yaml")) if (stamp := _stamp(path)) is not None}

    def refresh(self) -> bool:
        """Look at the directory again, and whether anything came into force. Blocks, and waits while ClickHouse is unavailable."""
        files = self._files()
        gone = {path: self._named.pop(path, path.stem) for path in self._seen if path not in files}
        for path, name in gone.items():
            del self._seen[path]
            self._accept(name, path.stem)
        changed = [path for path, stamp in files.items() if self._seen.get(path) != stamp]
        if not changed and not gone and self._in_force is not None:
            return False
        stored = self._store.in_force()
        before = {name: Configured.of(found.organisation, found.generation) for name, found in stored.items()}
        before.update(self._in_force or {})
        taken_up = dict(before)
        for path in changed:
            self._seen[path] = files[path]
            try:
                configured = self._take_up(path, stored)
            except InvalidConfiguration as error:
                self._refuse(path.stem, str(error))
                continue
            taken_up[configured.organisation.organisation] = configured
        first = self._in_force is None
        unnamed = taken_up.keys() - set(self._named.values()) - {path.stem for path in files}
        for name in sorted(unnamed if first else unnamed & set(gone.values())):
            log.warning("organisation %s: no file names it (any more); its stored configuration stays in force", name)
        self._in_force = taken_up
        return first or any(name not in before or before[name].organisation != found.organisation for name, found in taken_up.items())

    def _take_up(self, path: Path, stored: dict[str, InForce]) -> Configured:
        organisation = load_organisation(path)
        name = organisation.organisation
        other = next((file for file, named in self._named.items() if named == name and file != path), None)
        if other is not None:
            raise InvalidConfiguration(f"{path}: organisation {name!r} already has a file, {other.name}; keep one")
        self._named[path] = name
        before = stored.get(name)
        today = local_date(self._clock(), ZoneInfo(organisation.zone))
        why = why_refused(organisation, before, today) if before else ""
        if before and why:
            self._refuse(
                name,
                f"{path}: {why}. Contacts judged by the configuration in force are stored; it stays in force until they are judged again",
            )
            return Configured.of(before.organisation, before.generation)
        self._accept(name, path.stem)
        try:
            configured = Configured.of(organisation, before.generation if before else 0)
        except InvalidConfiguration as error:
            raise InvalidConfiguration(f"{path}: {error}") from None
        if before is None or before.organisation != organisation:
            self._store.register(organisation, _text(path), configured.generation, self._readers, self._clock())
            log.warning("organisation %s: configuration of %s is in force", name, path.name)
        return configured

    def _accept(self, *names: str) -> None:
        """Nothing is refused under these names any more."""
        self._health.refused = {key: value for key, value in self._health.refused.items() if key not in names}
        for name in names:
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
