"""The file of a new organisation, and a new department in the file of one that is there: YAML with words of explanation. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from io import StringIO
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from schemas.norm_sets import load_norm_set, norm_set, norm_set_text
from schemas.organisation import Organisation

OPERATORS = "contactmeter"
"""The system in whose name people speak: markers, acknowledgements."""


_WIDE = 10_000
"""Columns: no line is folded, neither when a file is made nor when something is added to it."""


@dataclass(frozen=True)
class Wishes:
    """What a person says of a new organisation. `systems`: source URN by slug; `leading`: system by channel, by default the only one."""

    slug: str
    title_nl: str
    title_en: str
    oin: str
    zone: str = "Europe/Amsterdam"
    inhabitants: int | None = None
    channels: Sequence[str] = ()
    systems: Mapping[str, str] = field(default_factory=dict)
    leading: Mapping[str, str] = field(default_factory=dict)
    norm_sets: Sequence[str] = ()
    instruments: Sequence[str] = ()


def source_of(oin: str, system: str) -> str:
    """The name by which a system speaks: a URN with the organisation's identification number (OIN)."""
    return f"urn:nld:oin:{oin}:systeem:{system}"


def new_organisation(wishes: Wishes) -> str:
    """The text of its file, which is valid as it stands. Raises InvalidConfiguration."""
    systems = {**wishes.systems, OPERATORS: source_of(wishes.oin, OPERATORS)}
    lines = [
        f"# {wishes.title_nl}: what is measured, against which norms, on which calendar. docs/ORGANISATION.md explains every field.",
        f"organisation: {wishes.slug}",
        f"title: {_flow({'nl': wishes.title_nl, 'en': wishes.title_en})}",
        f"zone: {wishes.zone}",
        f"inhabitants: {wishes.inhabitants}" if wishes.inhabitants else "# inhabitants: 40000        # for contacts per 1,000 inhabitants",
        "minimum_n: 20               # fewer observations than this, and a figure says it is too few to tell",
        "small_cell: 5               # answers are shown in steps of at least so many",
        "repeat_days: 7              # who comes back with the same product within so many days comes back for the same thing",
        "",
        "# Which system may speak: the `source` of its events. Only what is named here is taken.",
        "systems:",
        *(f"  {name}: {_flow({'title': _title(name), 'sources': [source]})}" for name, source in systems.items()),
        "",
        "# Contacts of a channel's leading system count; those of other systems enrich them (`same_as`).",
        "channels:",
        *(f"  {channel}: {_flow(_channel(wishes, channel))}" for channel in wishes.channels),
        "",
        'opening_hours: {mon-fri: "08:30-17:00"}   # of all channels that say nothing else',
        "closing_days:",
        "  public_holidays: nl       # and the municipality's own days:",
        "  dates: []",
        "",
    ]
    lines += _norms(wishes)
    lines += _instruments(wishes)
    text = "\n".join(lines).rstrip() + "\n"
    yamlfile.loads(text, Organisation, f"{wishes.slug}.yaml")
    return text


def _title(system: str) -> str:
    return "Coordinators, by the command line" if system == OPERATORS else system.replace("-", " ").replace("_", " ").capitalize()


def _channel(wishes: Wishes, channel: str) -> dict[str, str]:
    leading = wishes.leading.get(channel) or (next(iter(wishes.systems)) if len(wishes.systems) == 1 else "")
    return {"leading_system": leading} if leading else {}


def _flow(value: object) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=_WIDE)).strip()


def _norms(wishes: Wishes) -> list[str]:
    if not wishes.norm_sets:
        return ["# `contactmeter norms list` names published sets to copy from.", "norms: []", ""]
    found: list[str] = []
    classes: dict[str, list[str]] = {}
    taken: set[str] = set()
    for name in wishes.norm_sets:
        about = norm_set(name)
        wanted = {norm.id: list(norm.applies_to.channels) for norm in load_norm_set(name, wishes.channels)}
        document = yaml.safe_load(norm_set_text(name))
        found += [f"  # {about.title.nl}: {about.source}", *(f"  #   {reading}" for reading in about.readings)]
        for norm in document["norms"]:
            if norm["id"] not in wanted:
                continue
            if norm["id"] in taken:
                raise InvalidConfiguration(f"norm {norm['id']!r} stands in two of the sets {', '.join(wishes.norm_sets)}; take one of them")
            taken.add(norm["id"])
            norm["applies_to"]["channels"] = wanted[norm["id"]]
            classes.update({one: [] for one in norm["applies_to"].get("product_classes", ())})
            found.extend(f"  {line}" for line in _block([norm]))
    lines = ["norms:", *found] if taken else ["norms: []", *found]
    if classes:
        head = [
            "# Which products, as your systems name them, are in the classes that norms ask for.",
            *_block({"product_classes": classes}),
            "",
        ]
        lines = head + lines
    return [*lines, ""]


def _instruments(wishes: Wishes) -> list[str]:
    if not wishes.instruments:
        return ["# Questionnaires: `contactmeter organisation new --instrument after_contact` brings one.", "instruments: {}", ""]
    document = {name: [_instrument(name)] for name in wishes.instruments}
    return [*_block({"instruments": document}), ""]


def _instrument(name: str) -> Any:
    file = resources.files("schemas.instruments").joinpath(f"{name}.yaml")
    if not file.is_file():
        known = sorted(
            one.name.removesuffix(".yaml") for one in resources.files("schemas.instruments").iterdir() if one.name.endswith(".yaml")
        )
        raise InvalidConfiguration(f"there is no questionnaire {name!r}; there are {', '.join(known)}")
    return yaml.safe_load(file.read_text(encoding="utf-8"))["instrument"]


class _Indented(yaml.SafeDumper):
    """Lists stand deeper than the name above them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - so it is called
        super().increase_indent(flow, indentless=False)


def _block(value: object) -> list[str]:
    text: str = yaml.dump(value, Dumper=_Indented, default_flow_style=None, allow_unicode=True, sort_keys=False, width=_WIDE)
    return text.rstrip().splitlines()


@dataclass(frozen=True)
class DepartmentWishes:
    """What a person says of a department that joins: its teams, and the systems and channels that it brings."""

    slug: str
    title_nl: str
    title_en: str
    contact: str = ""
    teams: Sequence[str] = ()
    systems: Mapping[str, str] = field(default_factory=dict)
    channels: Sequence[str] = ()


def add_department(text: str, wishes: DepartmentWishes, name: str) -> str:
    """The text of an organisation's file with a department more; its comments and order stay. Raises InvalidConfiguration."""
    parser = YAML()
    parser.preserve_quotes = True
    parser.width = _WIDE
    parser.indent(mapping=2, sequence=4, offset=2)  # as `new_organisation` writes it
    document: CommentedMap = parser.load(text)
    yamlfile.loads(text, Organisation, name)  # what was wrong before is said first
    _add(document, "departments", {wishes.slug: _described(wishes)}, name)
    _add(document, "teams", {team: {"department": wishes.slug} for team in wishes.teams}, name)
    _add(document, "systems", {slug: {"sources": [source], "department": wishes.slug} for slug, source in wishes.systems.items()}, name)
    leading = {"leading_system": next(iter(wishes.systems))} if wishes.systems else {}
    _add(document, "channels", {channel: dict(leading) for channel in wishes.channels if channel not in document["channels"]}, name)
    out = StringIO()
    parser.dump(document, out)
    found = out.getvalue()
    yamlfile.loads(found, Organisation, name)
    return found


def _described(wishes: DepartmentWishes) -> dict[str, Any]:
    found: dict[str, Any] = {"title": {"nl": wishes.title_nl, "en": wishes.title_en}}
    return {**found, "contact": wishes.contact} if wishes.contact else found


def _add(document: CommentedMap, key: str, entries: Mapping[str, Any], name: str) -> None:
    if not entries:
        return
    if key not in document:
        document[key] = CommentedMap()
    for slug, entry in entries.items():
        if slug in document[key]:
            raise InvalidConfiguration(f"{name}: {key}: {slug!r} is there already")
        document[key][slug] = CommentedMap(entry)
