"""What a running stack says of itself: for `status`, `doctor`, and whoever waits for a worker."""

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

import typer

from deploy.local import stack
from deploy.local.network import DIRECT, LOOPBACK
from pipeline.cli import endpoints
from pipeline.store.reads import Views
from pipeline.store.rejects import Rejects
from schemas.errors import ContactmeterError

NOTHING_STORED: dict[str, dict[str, Any] | None] = {"rows": None, "rejected": None, "open_rejects": None}
NO_ROWS = {"contacts": 0, "answers": 0, "rejects": 0}


def report(place: stack.Layout) -> dict[str, Any]:
    """What runs: supervisor, services with state and process, addresses, and what the worker says of itself."""
    pid = stack.running_pid(place)
    content = stack.read_stack(place) or {}
    running = pid is not None and content.get("pid") == pid
    environment = content.get("environment", {})
    return {
        "running": running,
        "directory": str(place.directory),
        "pid": pid,
        "services": content.get("services", {}) if running else {},
        "addresses": {
            "kafka": environment.get("CONTACTMETER_KAFKA"),
            "clickhouse": f"http://{LOOPBACK}:{environment.get('CONTACTMETER_CLICKHOUSE_HTTP_PORT')}",
            "worker": f"http://{LOOPBACK}:{environment.get('CONTACTMETER_HEALTH_PORT')}",
        }
        if running
        else {},
        "worker": status_of(f"http://{LOOPBACK}:{environment['CONTACTMETER_HEALTH_PORT']}") if running else None,
        **(_stored() if running else NOTHING_STORED),
    }


def _stored() -> dict[str, dict[str, Any] | None]:
    """By organisation in force: the rows stored (contacts, answers, rejects), why most of what waits was rejected, and how much waits,
    also of organisations that nobody knows. None when ClickHouse can't be asked (yet)."""
    try:
        connection = endpoints.connection(endpoints.settings())
        with closing(Views(connection)) as views, closing(Rejects(connection)) as rejects:
            rows = dict.fromkeys(views.organisations(), NO_ROWS) | views.counts()  # one in force may have no rows yet
            rejected, waiting = views.reject_reasons(), rejects.open_by_organisation()
    except ContactmeterError:
        return NOTHING_STORED
    reasons = {name: [reason._asdict() for reason in reasons] for name, reasons in rejected.items()}
    return {"rows": rows, "rejected": reasons, "open_rejects": waiting}


def status_of(health: str) -> dict[str, Any] | None:
    """The worker's own report (offsets, lag, rows, last event); None when it does not answer."""
    try:
        with DIRECT.open(f"{health}/status", timeout=5) as answer:
            content = json.load(answer)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def show(content: Mapping[str, Any]) -> None:
    """Print a report for people."""
    row = "{:<12}{:<10}{:<21}{:<9}{:<10}{}".format
    typer.echo(f"{content['directory']} (process {content['pid']})")
    typer.echo(row("service", "state", "since", "pid", "restarts", "address"))
    for name, run in content["services"].items():
        since = f"{datetime.fromtimestamp(run['since']).astimezone():%Y-%m-%d %H:%M:%S}" if run["since"] else ""
        typer.echo(row(name, run["state"], since, run["pid"] or "", run["restarts"], content["addresses"].get(name, "")))
    worker = content["worker"]
    if worker is None:
        typer.echo("The worker does not answer yet.")
        return
    last = worker.get("last_event")
    arrived = f"{datetime.fromtimestamp(last / 1000).astimezone():%Y-%m-%d %H:%M:%S}" if last else "none since the worker started"
    typer.echo(f"\nlag: {worker.get('lag'):,} records   last event arrived: {arrived}   rejects since the start: {worker.get('rejects'):,}")
    if worker.get("waiting_for"):
        typer.echo(f"waiting: {worker['waiting_for']}")
    if worker.get("braked"):
        typer.echo(f"the brake is on: {worker['braked']}. Mend the cause, then `contactmeter resume`")
    for name, counts in (content["rows"] or {}).items():
        typer.echo(f"{name}: {counts['contacts']:,} contacts, {counts['answers']:,} answers, {counts['rejects']:,} rejects stored")
        for rejected in (content["rejected"] or {}).get(name, ()):
            typer.echo(f"  {rejected['rejects']:,} × {rejected['reason']}, for example: {rejected['example']}")
    if waiting := (content["open_rejects"] or {}):
        typer.echo(f"{waiting_words(waiting)}; see `contactmeter rejects list`")
    if worker.get("judging_again"):
        typer.echo(f"contacts of {worker['judging_again']} are being judged again, by another configuration")
    if worker.get("mismatches"):
        typer.echo(f"{worker['mismatches']} sums differed from the stored rows since the worker began (docs/OPERATIONS.md, mismatches)")
    for name, why in worker.get("refused_configurations", {}).items():
        typer.echo(f"configuration refused, {name}: {why}")


def waiting_words(rejects: Mapping[str, int]) -> str:
    """Rejects that wait for a decision, by the organisation they claim, in a line."""
    each = ", ".join(f"{name or '(no key)'} {count:,}" for name, count in sorted(rejects.items(), key=lambda item: -item[1])[:5])
    more = f" and {len(rejects) - 5} more" if len(rejects) > 5 else ""
    return f"{sum(rejects.values()):,} rejects wait for a decision: {each}{more}"
