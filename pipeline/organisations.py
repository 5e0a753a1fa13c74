"""The organisations in force: their YAML files, held against what the store says is in force."""

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Protocol

from pipeline import metrics
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
    """Takes up the files of a directory. A file that is wrong or refused changes nothing: what was in force stays, and it is said why.

    readers: ClickHouse users that may read every organisation here. clock: epoch milliseconds. today: the present date.
    """

    def __init__(
        self,
        directory: Path,
        store: ConfigurationStore,
        readers: tuple[str, ...],
        health: Health,
        clock: Callable[[], int],
        today: Callable[[], date] = date.today,
    ) -> None:
        self._directory = directory
        self._store = store
        self._readers = readers
        self._health = health
        self._clock = clock
        self._today = today
        self._seen: dict[Path, tuple[int, int]] = {}
        self._named: dict[Path, str] = {}
        self._in_force: dict[str, Configured] = {}

    def in_force(self) -> dict[str, Configured]:
        """By organisation; a new dictionary at every change."""
        return self._in_force

    def refresh(self) -> bool:
        """Look at the directory again, and whether anything came into force. Blocks, and waits while ClickHouse is unavailable."""
        files = {path: stamp for path in sorted(self._directory.glob("*.yaml")) if (stamp := _stamp(path)) is not None}
        self._named = {path: name for path, name in self._named.items() if path in files}
        changed = [path for path, stamp in files.items() if self._seen.get(path) != stamp]
        if not changed:
            return False
        stored = self._store.in_force()
        taken_up = dict(self._in_force)
        for path in changed:
            self._seen[path] = files[path]
            try:
                configured = self._take_up(path, stored)
            except InvalidConfiguration as error:
                self._refuse(path.stem, str(error))
                if path.stem not in taken_up and path.stem in stored:  # after a restart: what was in force stays so
                    taken_up[path.stem] = Configured.of(stored[path.stem].organisation, stored[path.stem].generation)
                continue
            taken_up[configured.organisation.organisation] = configured
        before, self._in_force = self._in_force, taken_up
        return any(name not in before or before[name].organisation != found.organisation for name, found in taken_up.items())

    def _take_up(self, path: Path, stored: dict[str, InForce]) -> Configured:
        organisation = load_organisation(path)
        name = organisation.organisation
        other = next((file for file, named in self._named.items() if named == name and file != path), None)
        if other is not None:
            raise InvalidConfiguration(f"{path}: organisation {name!r} already has a file, {other.name}; keep one")
        self._named[path] = name
        before = stored.get(name)
        why = why_refused(organisation, before, self._today()) if before else ""
        if before and why:
            self._refuse(
                name,
                f"{path}: {why}. Contacts judged by the configuration in force are stored; it stays in force until they are judged again",
            )
            return Configured.of(before.organisation, before.generation)
        self._health.refused = {key: value for key, value in self._health.refused.items() if key not in (name, path.stem)}
        metrics.REFUSED.labels(name).set(0)
        try:
            configured = Configured.of(organisation, before.generation if before else 0)
        except InvalidConfiguration as error:
            raise InvalidConfiguration(f"{path}: {error}") from None
        if before is None or before.organisation != organisation:
            self._store.register(organisation, _text(path), configured.generation, self._readers, self._clock())
            log.warning("organisation %s: configuration of %s is in force", name, path.name)
        return configured

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
