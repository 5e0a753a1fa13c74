"""What the simulated town is like: how much contact, when, about what, and how it goes. Sizes are for 40,000 inhabitants."""

from dataclasses import dataclass
from typing import Literal

NORM_S = 45
"""Seconds of the telephone norm: the wait's distribution is set by the share within it."""

ACKNOWLEDGED_S = 15 * 60
"""Seconds of the norm for confirming a message."""

PRODUCTS: tuple[tuple[str, str], ...] = (
    ("Paspoort of identiteitskaart", "Burgerzaken"),
    ("Rijbewijs", "Burgerzaken"),
    ("Verhuizing doorgeven", "Burgerzaken"),
    ("Gemeentebelastingen en WOZ", "Belastingen"),
    ("Afval en milieustraat", "Afval"),
    ("Wmo en jeugdhulp", "Wmo"),
    ("Omgevingsvergunning", "Vergunningen"),
    ("Parkeervergunning", "Vergunningen"),
    ("Melding openbare ruimte", "Openbare ruimte"),
    ("Algemene vraag", "Klantcontactcentrum"),
)
"""(product, the team that handles it)."""

DRIFT_TEAM = "Burgerzaken"
"""The team in which a planted drift mainly happens."""

ASPECTS = ("overall", "ease", "speed", "treatment", "clarity", "informed")
ASPECT_OFFSET = (0.0, 0.1, -0.2, 0.5, 0.1, -0.6)
"""How much each aspect lies above or below the overall grade."""

QUEUE_HOURS = (0.6, 1.25, 1.45, 1.2, 0.75, 0.8, 1.15, 1.05, 0.75)
"""Calls and visitors by hour since opening, relative; the last value also serves what comes after."""

WRITTEN_HOURS = (15, 8, 5, 5, 5, 10, 30, 70, 150, 200, 210, 180, 140, 150, 160, 150, 130, 110, 90, 110, 130, 120, 80, 40)
"""Messages by hour of the day, relative."""

WEEKDAY = (1.2, 1.05, 0.95, 1.0, 0.8)
"""Contacts from Monday to Friday, relative."""


@dataclass(frozen=True)
class Channel:
    """A channel of the town. `per_day`: contacts on a mean working day; `quiet`: share of it when closed (0: nobody gets through).

    `products` are weights in the order of PRODUCTS. `invited`, `response`: shares invited to a survey, and answering.
    `grade`: the mean of an undisturbed contact.
    """

    name: Literal["telephone", "counter", "email", "form", "social"]
    prefix: str
    system: str
    kind: Literal["queue", "written"]
    per_day: float
    quiet: float
    products: tuple[float, ...]
    invited: float
    response: float
    grade: float
    via: tuple[str, ...] = ()
    location: str | None = None

    @property
    def source(self) -> str:
        """The CloudEvents source of its system."""
        return source_of(self.system)


def source_of(system: str) -> str:
    """The CloudEvents source of a system of the simulated town."""
    return f"urn:nld:oin:00000000000000000000:systeem:simulatie-{system}"


CHANNELS: tuple[Channel, ...] = (
    Channel("telephone", "tel", "telefooncentrale", "queue", 250, 0.0, (20, 10, 12, 12, 12, 8, 6, 6, 6, 8), 0.6, 0.22, 7.7),
    Channel("counter", "bal", "baliesysteem", "queue", 120, 0.0, (40, 25, 8, 2, 3, 4, 5, 5, 0, 8), 0.7, 0.24, 8.0, (), "Gemeentehuis"),
    Channel("email", "eml", "postbus", "written", 70, 0.3, (8, 5, 10, 18, 12, 12, 15, 5, 5, 10), 0.7, 0.18, 7.3),
    Channel("form", "frm", "formulieren", "written", 60, 0.4, (5, 3, 25, 12, 15, 5, 10, 15, 10, 0), 0.7, 0.17, 7.5, ("website",)),
    Channel("social", "soc", "webcare", "written", 15, 0.5, (5, 3, 4, 8, 25, 3, 3, 8, 30, 11), 0.4, 0.15, 7.1, ("facebook", "x")),
)

RESPONSE_DAYS: dict[str, tuple[float, ...]] = {
    "email": (0.30, 0.36, 0.23, 0.05, 0.03, 0.02, 0.01),
    "form": (0.28, 0.40, 0.22, 0.05, 0.03, 0.01, 0.01),
    "social": (0.72, 0.22, 0.03, 0.02, 0.01, 0.0, 0.0),
}
"""Working days until a message is answered (0, 1, 2, …), as shares."""


@dataclass(frozen=True)
class Promise:
    """A norm of the organisation file as the town understands it: a term in ms, or the end of the n-th working day after the start."""

    norm: str
    channel: str
    start: str
    stops: tuple[str, ...]
    within_ms: int = 0
    working_days: int = 0


PROMISES: tuple[Promise, ...] = (
    Promise("telephone_45s", "telephone", "queued", ("answered",), within_ms=NORM_S * 1000),
    Promise("email_acknowledged_15min", "email", "opened", ("acknowledged",), within_ms=ACKNOWLEDGED_S * 1000),
    Promise("email_answered_2wd", "email", "opened", ("responded", "closed"), working_days=2),
    Promise("form_acknowledged_15min", "form", "opened", ("acknowledged",), within_ms=ACKNOWLEDGED_S * 1000),
    Promise("form_answered_2wd", "form", "opened", ("responded", "closed"), working_days=2),
    Promise("social_1wd", "social", "opened", ("responded",), working_days=1),
)

NORM_DAYS = {promise.channel: promise.working_days for promise in PROMISES if promise.working_days}
"""Working days of the norm for answering a message."""
