"""The jars Kafka consists of: fetched once into a cache, compared with our own sums before every start."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from deploy.local.errors import JarError

MANIFEST = Path(__file__).with_name("jars.yaml")
REPOSITORY_VARIABLE = "CONTACTMETER_MAVEN_REPOSITORY"


def cache_directory() -> Path:
    """Where jars are kept: $CONTACTMETER_CACHE, else $XDG_CACHE_HOME/contactmeter, else ~/.cache/contactmeter; plus /jars."""
    own = os.environ.get("CONTACTMETER_CACHE")
    if own:
        return Path(own).expanduser().absolute() / "jars"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "contactmeter" / "jars"


def manifest() -> dict[str, str]:
    """Maven coordinate (group:artifact:version) -> SHA-256 of its jar in hexadecimal."""
    return {str(coordinate): str(sha256) for coordinate, sha256 in yaml.safe_load(MANIFEST.read_text()).items()}


def jar_path(cache: Path, coordinate: str) -> Path:
    _, artifact, version = coordinate.split(":")
    return cache / f"{artifact}-{version}.jar"


def _matches(path: Path, sha256: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def missing(cache: Path) -> list[str]:
    """The coordinates whose jar is not in the cache."""
    return [coordinate for coordinate in manifest() if not jar_path(cache, coordinate).exists()]


def altered(cache: Path) -> list[Path]:
    """The jars in the cache whose content is not what jars.yaml says."""
    present = ((jar_path(cache, coordinate), sha256) for coordinate, sha256 in manifest().items())
    return [path for path, sha256 in present if path.exists() and not _matches(path, sha256)]


def class_path(cache: Path, report: Callable[[str], None]) -> list[Path]:
    """All jars, present and verified, in the order of jars.yaml; missing ones are fetched first.

    `report` gets a line when fetching begins, and one at every quarter of it; on a terminal the second is one line that counts in place.
    Raises JarError with what was tried and what to do.
    """
    wanted = missing(cache)
    if wanted:
        _fetch(cache, wanted, report)
    wrong = altered(cache)
    if wrong:
        names = ", ".join(str(path) for path in wrong)
        raise JarError(
            f"These jars are not the ones this version was built with (SHA-256 differs from {MANIFEST.name}): {names}. "
            "They are not started. Delete them and start again to fetch them anew; if that does not help, the repository or "
            "proxy you fetch through alters files."
        )
    return [jar_path(cache, coordinate) for coordinate in manifest()]


def _repositories() -> dict[str, str]:
    """Name -> URL of the Maven repositories to try, in order: our variable alone, else jgo's configuration, then its default."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL

    own = os.environ.get(REPOSITORY_VARIABLE)
    if own:
        return {"mirror": own.rstrip("/")}
    repositories = dict(GlobalSettings.load().repositories)
    repositories.setdefault("central", MAVEN_CENTRAL_URL)
    return repositories


def _fetch(cache: Path, wanted: list[str], report: Callable[[str], None]) -> None:
    repositories = _repositories()
    sums = manifest()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as scratch, ThreadPoolExecutor(4) as pool:
            report(f"fetching {len(wanted)} jars of Apache Kafka (about 45 MB, this once) into {cache}")
            done = pool.map(lambda coordinate: _fetch_one(Path(scratch), cache, coordinate, sums[coordinate], repositories), wanted)
            try:
                for number, _ in enumerate(done, 1):
                    _progress(number, len(wanted), report)
            except BaseException:  # Ctrl-C too
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    except OSError as error:  # what goes wrong on the way here is a JarError already
        raise JarError(f"The cache {cache} cannot be written: {error}. Choose another with CONTACTMETER_CACHE.") from error


def _progress(number: int, total: int, report: Callable[[str], None]) -> None:
    line = f"fetched {number} of {total} jars"
    terminal = sys.__stdout__  # not sys.stdout: the demo's table holds that back until a line ends
    if terminal is not None and terminal.isatty():
        print(f"\r{line}", end="\n" if number == total else "", file=terminal, flush=True)
    elif number * 4 // total > (number - 1) * 4 // total:
        report(line)


def _fetch_one(scratch: Path, cache: Path, coordinate: str, sha256: str, repositories: dict[str, str]) -> Path:
    """Fetch one jar, check it, and only then move it to its place, so that the cache never holds half a file."""
    from jgo.maven import MavenContext

    group, artifact, version = coordinate.split(":")
    tried = []
    for name, url in repositories.items():
        context = MavenContext(repo_cache=scratch / name, local_repos=[], remote_repos={name: url}, timeout=30)
        try:
            fetched = context.project(group, artifact).at_version(version).artifact(packaging="jar").resolve()
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            tried.append(f"{url}: {error}")
            continue
        if _matches(fetched, sha256):
            shutil.move(fetched, jar_path(cache, coordinate))
            return jar_path(cache, coordinate)
        tried.append(f"{url}: the file's SHA-256 is not the one in {MANIFEST.name}")
    raise JarError(
        f"Could not fetch {coordinate}. Tried: {'; '.join(tried)}. Behind a proxy set HTTPS_PROXY (and REQUESTS_CA_BUNDLE when it "
        f"has a certificate of its own). With a mirror of a Maven repository set {REPOSITORY_VARIABLE}=URL, or list it under "
        f"[repositories] in jgo's configuration file. Without a network copy the directory {cache} from a machine that has it."
    )
