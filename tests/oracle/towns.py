"""Random municipalities for Hypothesis: norms of any shape, calendars, leading systems; documents as YAML holds them."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.oracle.door import Wire

NAME = "voorbeeldstad"
SOURCES = {"pbx": ["urn:nld:oin:1:systeem:pbx", "urn:nld:oin:1:systeem:pbx-2"], "crm": ["urn:nld:oin:1:systeem:crm"]}
CHANNELS = ("telephone", "counter", "email")
PRODUCTS, TEAMS, PLACES = ("Paspoort", "Afval"), ("Burgerzaken", "Balie"), ("Stadhuis", "1234 AB")


class Mood(NamedTuple):
    """What a history is mostly about: so that what is rare in any life is common in some."""

    clocks: list[str]
    starts: list[Any]
    stops: list[list[str]]
    kinds: list[str]
    leading: list[Wire]


_HOURS: list[Wire] = [
    {"mon-thu": "08:30-17:00", "fri": "08:30-13:00"},
    {"mon-fri": "08:30-12:00, 13:00-17:00", "sat": "10:00-12:00"},
    {"mon-sun": "00:00-24:00"},
]
_titles = {"nl": "n", "en": "n"}


def _some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


_CONDITIONS: dict[str, st.SearchStrategy[Any]] = {
    "products": _some(PRODUCTS),
    "product_classes": st.just(["reisdocumenten"]),
    "teams": _some(TEAMS),
    "locations": st.just(["Stadhuis"]),
    "segments": st.just(["1234"]),
    "vias": st.just(["app"]),
    "appointment": st.booleans(),
    "complexity": _some(("simple", "complex", "unknown")),
    "direction": st.sampled_from(["inbound", "outbound"]),
}
_EXCLUSIONS: dict[str, st.SearchStrategy[Any]] = {
    "outside_opening_hours": st.just(True),
    "results": st.just(["duplicate"]),
    "products": st.just(["Afval"]),
    "teams": st.just(["Balie"]),
}
_THRESHOLDS: dict[str, list[str | None]] = {
    "given": [None],
    "elapsed": ["45s", "15min", "24h", "2d"],
    "opening-hours": ["45s", "15min", "4h", "2d"],
    "working-days": ["1wd", "2wd", "10wd"],
    "statutory-term": ["1d", "10d", "2w", "6w", "1m"],
}


@st.composite
def norms(draw: st.DrawFn, name: str, mood: Mood) -> Wire:
    """A norm of any shape that the schema allows."""
    clock = draw(st.sampled_from(mood.clocks))
    start = draw(st.sampled_from(mood.starts))
    begins = start["latest_of"] if isinstance(start, dict) else [start]
    stop = draw(st.sampled_from([names for names in mood.stops if not set(names) & set(begins)]))
    statistic = draw(st.sampled_from(["share", "share", "mean", "max"])) if clock in ("elapsed", "opening-hours") else "share"
    norm: Wire = {
        "id": name,
        "title": _titles,
        "applies_to": {"channels": draw(st.sampled_from([[*CHANNELS], [*CHANNELS], ["telephone", "email"], ["counter"]]))},
        "statistic": statistic,
        "clock": clock,
        "threshold": draw(st.sampled_from(_THRESHOLDS[clock])),
        "start": start,
        "stop": stop if len(stop) > 1 else stop[0],
        "denominator": draw(st.sampled_from(["answered", "offered"])),
        "left_queue": draw(st.sampled_from(["counts", "excluded"])),
        "short_abandon": draw(st.sampled_from(["0s", "5s"])),
        "suspension": draw(st.sampled_from([True, True, False])),
        "extension": draw(st.sampled_from(["any", "any", "none", "4w", "2wd", "24h"])),
        "source": "invented",
    }
    if clock == "working-days":
        norm["calendar"] = draw(st.sampled_from(["municipal", "statutory"]))
    for choices, field in ((_CONDITIONS, "applies_to"), (_EXCLUSIONS, "exclusions")):
        if draw(st.integers(0, 4)) == 4:
            chosen = draw(st.sampled_from(list(choices)))
            norm.setdefault(field, {})[chosen] = draw(choices[chosen])
    return norm


@st.composite
def organisations(draw: st.DrawFn, mood: Mood) -> Wire:
    """A municipality with two systems, three channels, a place, a few norms and two versions of a questionnaire."""
    found: list[Wire] = []
    for position in range(draw(st.integers(1, 4))):
        norm = draw(norms(f"n{position}", mood))
        if draw(st.integers(0, 3)) < 3:
            found.append(norm)
            continue
        # Two versions, the second of which may ask something else, from a day on which much happens.
        since = draw(st.sampled_from(["2026-03-02", "2026-03-29", "2026-04-01", "2026-10-25"]))
        found += [norm | {"valid": {"to": since}}, draw(norms(norm["id"], mood)) | {"valid": {"from": since}}]
    leading = st.sampled_from(mood.leading)
    channels: dict[str, Wire] = {channel: dict(draw(leading)) for channel in CHANNELS}
    channels["telephone"]["exceptions"] = {"2026-03-02": "09:30-12:00", "2026-03-30": "closed", "2026-04-06": "10:00-11:00"}
    channels["email"]["opening_hours"] = draw(st.sampled_from(_HOURS))
    aspects = {aspect: {"title": _titles} for aspect in ("overall", "ease")}
    questionnaire = {"title": _titles, "aspects": aspects}
    return {
        "organisation": NAME,
        "title": _titles,
        "systems": {"pbx": {"sources": SOURCES["pbx"]}, "crm": {"sources": SOURCES["crm"], "nine_digit_ids": draw(st.booleans())}},
        "channels": channels,
        "locations": {"Stadhuis": {"opening_hours": {"mon-fri": "10:00-16:00"}, "exceptions": {"2026-12-24": "closed"}}},
        "opening_hours": draw(st.sampled_from(_HOURS)),
        "closing_days": {"public_holidays": draw(st.sampled_from(["nl", "none"])), "dates": ["2026-05-15"]},
        "product_classes": {"reisdocumenten": ["Paspoort", "Rijbewijs"]},
        "norms": found,
        "instruments": {
            "na-contact": [
                {**questionnaire, "version": 1, "scale": {"minimum": 1, "maximum": 10}},
                {**questionnaire, "version": 2, "scale": "1-5"},
            ]
        },
    }


# Moods ------------------------------------------------------------------------------------------------------------------

_KINDS = [
    "queued", "queued", "answered", "answered", "abandoned", "left_queue", "acknowledged", "informed", "responded", "promised",
    "paused", "paused", "resumed", "resumed", "extended", "callback_requested", "called_back", "transferred", "closed", "closed",
    "reopened", "corrected",
]  # fmt: skip
_STARTS: list[Any] = [
    "opened", "opened", "opened", "opened", "queued", "queued", "queued",
    "answered", "acknowledged", "callback_requested", "promised", "transferred", "closed",
    {"latest_of": ["appointment_at", "queued"]}, {"latest_of": ["term_starts_at", "opened"]}, {"latest_of": ["opened", "queued"]},
]  # fmt: skip
_STOPS = [
    ["answered"],
    ["answered"],
    ["acknowledged"],
    ["informed"],
    ["responded"],
    ["called_back"],
    ["reached"],
    ["closed"],
    ["responded", "closed"],
]
_CLOCKS = ["given", "elapsed", "elapsed", "opening-hours", "opening-hours", "working-days", "statutory-term"]
_ANYTHING = Mood(_CLOCKS, _STARTS, _STOPS, _KINDS, [{}, {}, {"leading_system": "pbx"}, {"leading_system": "crm"}])
_TERMS = Mood(
    ["elapsed", "opening-hours", "working-days", "statutory-term"],
    ["opened"],
    [["responded"], ["closed"], ["responded", "closed"]],
    ["paused", "paused", "paused", "resumed", "resumed", "extended", "extended", "closed", "reopened", "responded", "corrected"],
    [{}],
)
_SEVERAL_SYSTEMS = _ANYTHING._replace(leading=[{"leading_system": "pbx"}])
MOODS = [_ANYTHING, _TERMS, _SEVERAL_SYSTEMS]
