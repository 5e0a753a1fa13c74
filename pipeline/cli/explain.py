"""`contactmeter explain`: what is known of a contact, and why each norm judges it as it does."""

import json
import time
from collections.abc import Sequence
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipeline.answers import StoredAnswer
from pipeline.cli import endpoints
from pipeline.cli.stack import fail
from pipeline.configured import Configured
from pipeline.contacts import EventTuple
from pipeline.contributions import Judged
from pipeline.explain import Explanation, explain
from pipeline.explain_words import in_words, shown_at
from pipeline.folding import judge
from pipeline.held import Contact
from pipeline.names import ROLES, attribute_text, event_text, value_text
from pipeline.store.client import Unavailable
from pipeline.store.contact import answers_naming, find
from pipeline.timeline import Timeline
from schemas.errors import ContactmeterError
from schemas.organisation import Organisation
from schemas.words import Language

LONGEST = 40
"""Lines of one kind in a row that are shown before the rest is only counted."""

_WORDS = {
    "nl": ("gebeurtenissen", "kenmerken", "en nog {} dagen", "uit"),
    "en": ("events", "attributes", "and {} days more", "from"),
}

_ANSWERS = {"nl": ("antwoorden op vragenlijsten", "met toelichting"), "en": ("survey answers", "with a comment")}
_FORGOTTEN = {
    "nl": "vergeten; er wordt niets meer van bewaard dan dat het is vergeten",
    "en": "forgotten; nothing is kept of it but that",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.command("explain")(explain_contact)


def explain_contact(
    contact: Annotated[str, typer.Argument(help="SYSTEM/ID as `telefonie/2026-00017`, or an id that only one system has.")],
    organisation: Annotated[
        str, typer.Option("--organisation", "-o", help="Slug of the organisation. Default: the only one there is.")
    ] = "",
    lang: Annotated[str, typer.Option(help="nl or en.")] = "nl",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Print a contact's timeline and, per norm, start, deadline, stop and verdict, with the clock's arithmetic day by day."""
    if lang not in ("nl", "en"):
        fail(f"--lang {lang!r}: write nl or en", 2)
    language: Language = "nl" if lang == "nl" else "en"
    try:
        connection = endpoints.connection(endpoints.settings())
        found, stored = find(connection, organisation, contact)
        named = answers_naming(connection, stored[0]) if len(stored) == 1 else []
    except KeyError:
        fail(f"there is no organisation {organisation!r}; name one with --organisation", 2)
    except (Unavailable, ContactmeterError) as error:
        fail(error)
    if len(stored) != 1:
        several = ", ".join("/".join(one.key[1:]) for one in stored)
        fail(
            f"{contact!r} stands for several contacts: {several}; name one"
            if stored
            else f"{found.organisation} has no contact {contact!r}"
        )
    one = stored[0]
    held = Contact.stored(one)
    if held.forgotten:
        typer.echo(f"{found.organisation} {one.key[1]}/{one.key[2]}: {_FORGOTTEN[language]}")
        return
    timeline, judged = judge(one.key, held, Configured.of(found))
    explanations = explain(found, timeline, judged.outcomes, time.time_ns() // 1_000_000)
    if as_json:
        document = _document(found, held, timeline, judged, explanations, language)
        document["answers"] = [one.value[4] for one in named if one.value is not None]
        typer.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return
    typer.echo(f"{found.organisation} {one.key[1]}/{one.key[2]}: {ROLES[language][judged.role]}")
    for line in told(found, held, timeline, language):
        typer.echo(line)
    for line in answered(named, language, ZoneInfo(found.zone)):
        typer.echo(line)
    for explanation in explanations:
        typer.echo("")
        for line in lines_of(explanation, found, language):
            typer.echo(line)


def told(organisation: Organisation, contact: Contact, timeline: Timeline, language: Language) -> list[str]:
    """What happened, in local time, with what other systems told, and the attributes that came of it."""
    events, attributes, _, from_ = _WORDS[language]
    zone = ZoneInfo(organisation.zone)

    def line(event: EventTuple, system: str) -> str:
        at, _, _, _, _, kind, data = event
        values = ", ".join(f"{attribute_text(name, language)}={_value(name, value, language, zone)}" for name, value in data.items())
        said = f"{event_text(kind, language)}{f' ({from_} {system})' if system else ''}{f': {values}' if values else ''}"
        return f"  {shown_at(at, language, zone)}  {said}"

    others = [(event, f"{system}/{name}") for (system, name), (_, linked) in contact.links.items() for event in linked]
    lines = [line(event, system) for event, system in sorted([*((event, "") for event in timeline.events), *others])]
    return [
        f"{events}:",
        *lines,
        f"{attributes}: "
        + ", ".join(
            f"{attribute_text(name, language)}={value_text(name, value, language)}" for name, value in sorted(timeline.attributes.items())
        ),
        *timeline.defects,
    ]


def answered(answers: Sequence[StoredAnswer], language: Language, zone: ZoneInfo) -> list[str]:
    """The survey answers that name the contact: an access request asks for everything that is stored."""
    title, comment = _ANSWERS[language]
    lines = [f"{title}:"] if answers else []
    for answer in answers:
        if answer.value is not None:
            _, _, _, at, data = answer.value
            items = ", ".join(f"{aspect} {value:g}" for aspect, value in data["items"].items())
            said = f"{data['instrument']} v{data['version']}: {items}" + (f" ({comment})" if data.get("has_comment") else "")
            lines.append(f"  {shown_at(at, language, zone)}  {said}")
    return lines


def _value(name: str, value: Any, language: Language, zone: ZoneInfo) -> str:
    """A value of an event as people read it."""
    if name == "deadlines":
        return "; ".join(f"{norm} {shown_at(at, language, zone)}" for norm, at in value.items())
    if name == "same_as":
        return f"{value['system']}/{value['id']}"
    return shown_at(value, language, zone) if name.endswith("_at") else value_text(name, value, language)


def lines_of(explanation: Explanation, organisation: Organisation, language: Language) -> list[str]:
    """One norm in words. Of many days in a row the middle is only counted."""
    norm = explanation.norm
    zone = ZoneInfo(organisation.zone)
    title = norm.title.nl if language == "nl" else norm.title.en
    lines = [f"{norm.id} (v{explanation.version}): {title}"]
    row: list[str] = []
    for step in explanation.steps:
        if step.says in ("open", "closed", "counts", "does_not_count"):
            row.append("  " + in_words(step, language, zone))
        else:
            lines += [*_shortened(row, language), "  " + in_words(step, language, zone)]
            row = []
    return [*lines, *_shortened(row, language)]


def _shortened(lines: list[str], language: Language) -> list[str]:
    if len(lines) <= LONGEST:
        return lines
    return [*lines[: LONGEST // 2], f"    … {_WORDS[language][2].format(len(lines) - LONGEST)} …", *lines[-LONGEST // 2 :]]


def _document(
    organisation: Organisation, contact: Contact, timeline: Timeline, judged: Judged, explanations: list[Explanation], language: Language
) -> dict[str, Any]:
    """The same for programs; times in epoch ms."""
    outcomes = {(outcome.norm, outcome.version): outcome for outcome in judged.outcomes}
    return {
        "role": judged.role,
        "timeline": told(organisation, contact, timeline, language),
        "norms": [
            {
                "norm": one.norm.id,
                "version": one.version,
                "outcome": outcomes[key]._asdict() if (key := (one.norm.id, one.version)) in outcomes else None,
                "explanation": lines_of(one, organisation, language)[1:],
            }
            for one in explanations
        ],
    }
