"""What the columns of an unknown file may mean. Every guess is for a person to check; none of it is used without a mapping."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from connectors.mapped_file.drafts.sampling import Column, Sample, words

_CHANNEL_WORDS = {
    "whatsapp": {"whatsapp", "whats"},
    "chat": {"chat", "livechat"},
    "email": {"email", "mail", "mailbox"},
    "telephone": {"telefoon", "telefonisch", "telephone", "phone", "tel", "call", "belletje"},
    "app": {"app", "android", "ios"},
    "social": {"twitter", "facebook", "instagram", "social", "socials"},
    "form": {"form", "formulier", "webformulier", "eform"},
    "counter": {"balie", "counter", "desk", "loket"},
    "letter": {"brief", "letter", "post"},
    "website": {"website", "web", "internet", "site", "portal"},
}
"""In the order in which they are tried: a WhatsApp is no app."""

_OPENED = {"created", "opened", "open", "start", "startdate", "aangemaakt", "ontvangen", "received", "requested", "gemeld", "datum", "date"}
_CLOSED = {"closed", "close", "resolved", "resolution", "end", "enddate", "afgehandeld", "gesloten", "gereed", "afgerond", "completed"}
_RESPONDED = {"response", "responded", "reply", "reactie", "antwoord", "beantwoord"}
_DEADLINE = {"due", "deadline", "sla", "expected", "planned", "uiterlijk", "termijn", "streefdatum", "verwacht"}
_CONTACT = {"contact", "case", "zaak", "ticket", "melding", "request", "record", "call", "gesprek", "klantcontact", "srrecord"}
_ID = {"id", "nummer", "number", "num", "nr", "key", "kenmerk", "sleutel"}
_RATING = {
    "rating",
    "satisfaction",
    "score",
    "grade",
    "survey",
    "cijfer",
    "rapportcijfer",
    "waardering",
    "tevredenheid",
    "nps",
    "ces",
    "csat",
}
_COUNT = {"respondents", "respondenten", "n", "aantal", "count", "antwoorden"}
_ATTRIBUTES = {
    "product": {"product", "category", "topic", "type", "onderwerp", "categorie", "thema", "service", "dienst"},
    "team": {"team", "agency", "afdeling", "department", "group", "groep"},
    "location": {"location", "locatie", "wijk", "buurt", "region", "regio", "neighborhood", "office", "vestiging", "stadsdeel"},
}
_PERSONAL = {
    "agent",
    "medewerker",
    "naam",
    "voornaam",
    "achternaam",
    "klant",
    "customer",
    "caller",
    "beller",
    "address",
    "adres",
    "resource",
}
_PERSONAL |= {
    "responsible",
    "behandelaar",
    "phone",
    "telefoonnummer",
    "email",
    "emailadres",
    "bsn",
    "geboortedatum",
    "latitude",
    "longitude",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"(\+|00)?[\d ()-]{9,17}")


@dataclass
class Guess:
    """What each column may be. `kind`: rows are contacts, observations of queues, or totals of a survey."""

    kind: str = "contacts"
    contact: Column | None = None
    opened: Sequence[Column] = ()
    """One column, or a day and a time of day."""
    closed: Column | None = None
    responded: Column | None = None
    deadlines: list[Column] = field(default_factory=list)
    channel: Column | None = None
    rating: Column | None = None
    rated: Column | None = None
    """When the answer was given."""
    count: Column | None = None
    share: Column | None = None
    attributes: dict[str, Column] = field(default_factory=dict)
    personal: list[Column] = field(default_factory=list)

    @property
    def repeats(self) -> bool:
        """Whether a contact stands on several rows."""
        return self.contact is not None and not self.contact.is_unique

    def used(self) -> set[str]:
        """The names of the columns that have a meaning."""
        single = (self.contact, self.closed, self.responded, self.channel, self.rating, self.rated, self.count, self.share)
        found = [column for column in single if column is not None]
        return {column.name for column in (*found, *self.opened, *self.deadlines, *self.attributes.values())}


def channel_of(text: str) -> str | None:
    """The channel that a value of a column may name."""
    found = words(text)
    joined = "".join(sorted(found, key=text.lower().find))
    return next((channel for channel, known in _CHANNEL_WORDS.items() if known & found or joined in known), None)


def guess(sample: Sample) -> Guess:
    """What the columns of a sample may mean."""
    found = Guess()
    columns = list(sample.columns)
    found.share, found.count = _totals(columns)
    if found.share is not None:
        found.kind = "totals"
    else:
        found.contact = _contact(sample)
    times = [column for column in columns if column.time is not None]
    found.opened = _opened(sample, found, times)
    if found.kind == "contacts" and _observed(sample, found):
        found.kind, found.contact = "observations", None
    if found.kind == "contacts":
        found.closed = _fullest(column for column in times if column.words & _CLOSED and not column.words & _DEADLINE)
        found.responded = _fullest(column for column in times if column.words & _RESPONDED and not column.words & _DEADLINE)
        found.deadlines = [column for column in times if column.words & _DEADLINE]
        found.rating = next((column for column in columns if _is_rating(column)), None)
        found.rated = _rated(found.rating, times, found)
    found.channel = _best_channel(column for column in columns if _usable(sample, found, column))
    for name, known in _ATTRIBUTES.items():
        candidates = (column for column in columns if column.words & known and _usable(sample, found, column))
        column = _fullest(one for one in candidates if one.name not in found.used() and len(one.counts) <= 400 and not one.is_numeric)
        if column is not None:
            found.attributes[name] = column
    found.personal = [column for column in columns if column.name not in found.used() and _is_personal(column)]
    return found


def _fullest(columns: Iterable[Column]) -> Column | None:
    return max(columns, key=lambda column: column.filled, default=None)


def _totals(columns: list[Column]) -> tuple[Column | None, Column | None]:
    """A share and how many it is of: published totals instead of answers."""
    share = next((one for one in columns if _is_share(one)), None)
    count = next(
        (one for one in columns if one.words & _COUNT and one.is_numeric and all(number == int(number) for number in one.numbers)), None
    )
    return (share, count) if share is not None and count is not None else (None, None)


def _is_share(column: Column) -> bool:
    inside = column.is_numeric and all(0 <= number <= 1 for number in column.numbers)
    return inside and any(number != int(number) for number in column.numbers)


def _contact(sample: Sample) -> Column | None:
    named = [
        column for column in sample.columns if column.words & (_CONTACT | _ID) and column.time is None and column.filled == sample.rows
    ]
    strong = [column for column in named if column.words & _CONTACT and (column.is_unique or len(column.counts) > sample.rows / 100)]
    unique = [column for column in named if column.is_unique]
    return next(iter([*(column for column in strong if column.is_unique), *_repeated(strong), *unique]), None)


def _repeated(columns: list[Column]) -> list[Column]:
    """Columns that may carry a case on several rows; those with the most different values first."""
    several = [column for column in columns if 0.02 < len(column.counts) / len(column.texts) < 1]
    return sorted(several, key=lambda column: -len(column.counts))


def _opened(sample: Sample, found: Guess, times: list[Column]) -> Sequence[Column]:
    """The column of the opening, perhaps with a column for the time of day."""
    candidates = [
        column for column in times if column.filled >= 0.95 * sample.rows and not column.words & (_DEADLINE | _CLOSED | _RESPONDED)
    ]
    if found.repeats and found.contact is not None:
        candidates = [column for column in candidates if sample.is_constant(column, found.contact)]
    named = [column for column in candidates if column.words & _OPENED]
    if not candidates:
        return [column for column in sample.columns if column.is_numeric and all(1990 <= year <= 2100 for year in column.numbers)][:1]
    day = (named or candidates)[0]
    if day.time is not None and day.time.day_only:
        position = sample.columns.index(day)
        after = sample.columns[position + 1] if position + 1 < len(sample.columns) else None
        if after is not None and after.is_clock and after.filled == day.filled:
            return [day, after]
    return [day]


def _observed(sample: Sample, found: Guess) -> bool:
    """Whether many rows share each moment: observations of things, not contacts."""
    moments = len(set(zip(*(column.texts for column in found.opened), strict=True))) if found.opened else sample.rows
    named = found.contact is not None and found.contact.words & (_CONTACT | _ID)
    return not named and moments * 5 < sample.rows and sum(column.is_numeric for column in sample.columns) >= 2


def _usable(sample: Sample, found: Guess, column: Column) -> bool:
    """Whether an attribute of a contact can be read from it: it is filled and, of one contact, the same on every row."""
    if column.filled < 0.3 * sample.rows:
        return False
    return found.contact is None or not found.repeats or sample.is_constant(column, found.contact)


def _best_channel(columns: Iterable[Column]) -> Column | None:
    def share(column: Column) -> float:
        known = sum(count for text, count in column.counts.items() if channel_of(text) is not None)
        return known / column.filled

    likely = [column for column in columns if len(column.counts) <= 60 and share(column) >= 0.5]
    return max(likely, key=share, default=None)


def _is_rating(column: Column) -> bool:
    texts = len(column.counts) - len(column.numbers)
    whole = all(number == int(number) and 0 <= number <= 10 for number in column.numbers)
    return bool(column.words & _RATING) and 2 <= len(column.numbers) <= 11 and whole and texts <= 2


def _rated(rating: Column | None, times: list[Column], found: Guess) -> Column | None:
    """The last column of times that is filled wherever the rating is."""
    if rating is None:
        return None
    answered = [number for number, text in enumerate(rating.texts) if re.fullmatch(r"\d+(\.\d+)?", text)]
    deadlines = {column.name for column in found.deadlines}
    return next((one for one in reversed(times) if one.name not in deadlines and all(one.texts[row] for row in answered)), None)


def _is_personal(column: Column) -> bool:
    if column.words & _PERSONAL:
        return not (column.is_numeric and max(column.numbers) < 100_000)  # "Agent interactions" counts something.
    texts = list(column.counts)[:200]

    def shaped(pattern: re.Pattern[str]) -> bool:
        return sum(bool(pattern.fullmatch(text)) for text in texts) > 0.8 * len(texts)

    return bool(texts) and column.time is None and (shaped(_EMAIL) or (shaped(_PHONE) and not column.is_unique))
