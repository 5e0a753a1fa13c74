"""What commands that show figures ask and say alike: the views, the organisation, an instant, the line above a table."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from deploy.local import stack
from pipeline.cli import endpoints
from pipeline.cli.stack import fail
from pipeline.store.client import Unavailable
from pipeline.store.reads import Views
from schemas.errors import ContactmeterError, InvalidConfiguration

_CLICKHOUSE = ("CONTACTMETER_CLICKHOUSE_HOST", "CONTACTMETER_CLICKHOUSE_HTTP_PORT")


@contextmanager
def open_views() -> Iterator[Views]:
    """The views, with errors told to the person at the terminal."""
    place = stack.layout()
    if stack.running_pid(place) is None and not any(map(os.environ.get, _CLICKHOUSE)):
        fail(f"no stack runs on {place.directory}; start it with `contactmeter up`, or name your ClickHouse in {_CLICKHOUSE[0]}")
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())  # what the driver logs is said in full by the error
    try:
        with closing(Views(endpoints.connection(endpoints.settings()))) as views:
            yield views
    except Unavailable as error:
        text = str(error).partition(": ")[0]
        fail(f"{text}; see `contactmeter status`, or name yours in {', '.join(_CLICKHOUSE)}")
    except InvalidConfiguration as error:
        fail(error, 2)
    except ContactmeterError as error:
        fail(error)


def organisation_of(views: Views, wanted: str) -> tuple[str, dict[str, Any]]:
    """The organisation that is meant, and what v_organisations says of it. Raises InvalidConfiguration."""
    known = views.organisations()
    if wanted in known:
        return wanted, known[wanted]
    if not wanted and len(known) == 1:
        return next(iter(known.items()))
    if not known:
        place = stack.layout().organisations
        fail(f"No organisation is known yet. Load a file with its organisation.yaml beside the mapping, or put one in {place}.")
    names = ", ".join(known)
    raise InvalidConfiguration(
        f"there is no organisation {wanted!r}; known: {names}" if wanted else f"name one with --organisation; known: {names}"
    )


def instant_of(text: str, zone: object, views: Views, name: str) -> datetime | None:
    """An instant given on the command line; None for "as the worker saw it"."""
    if not text:
        return None
    if text == "last":
        last = views.last_event(name)
        if last is None:
            raise InvalidConfiguration(f"{name} has no events yet")
        return last
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidConfiguration(
            f"--at {text!r} is no instant; write 2021-03-31T17:40, 2021-03-31, 2021-03-31T15:40Z or `last`"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(str(zone)))


def local_date(moment: datetime, settings: dict[str, Any]) -> date:
    """The organisation's calendar day."""
    return moment.astimezone(ZoneInfo(str(settings["zone"]))).date()


def heading_of(name: str, settings: dict[str, Any], as_of: datetime | None) -> str:
    """The line above a table: whose figures, simulated or not, and of when in local time. A moment without zone is UTC."""
    title = str(settings["title_en"])
    slug = "" if name in title.lower() else f" ({name})"
    at = f"as of {local_text(as_of, settings)}" if as_of else "no figures yet"
    return f"{title}{slug}{simulated_text(settings, title, 'SIMULATED')} · {at}"


def simulated_text(settings: Mapping[str, Any], title: str, word: str) -> str:
    """What is added to a heading whose figures are not real; "" where the title of the organisation says so by itself."""
    return f" · {word}" if settings["simulated"] and "simul" not in title.lower() else ""


def aware(moment: datetime) -> datetime:
    """A moment with its zone: what ClickHouse gives without one is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def local_text(moment: datetime, settings: dict[str, Any]) -> str:
    """A moment as people read it; one without zone is UTC."""
    return f"{aware(moment).astimezone(ZoneInfo(str(settings['zone']))):%Y-%m-%d %H:%M} {settings['zone']}"
