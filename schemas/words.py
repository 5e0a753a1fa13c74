"""What names of the product are called on screens: channels (English screens show the name itself), and why a norm leaves a contact out."""

from typing import Literal

Language = Literal["nl", "en"]

CHANNELS = {
    "telephone": "telefoon",
    "counter": "balie",
    "reception": "receptie",
    "email": "e-mail",
    "letter": "brief",
    "website": "website",
    "form": "formulier",
    "public_space": "openbare ruimte",
    "chat": "chat",
    "whatsapp": "WhatsApp",
    "social": "sociale media",
    "app": "app",
}

EXCLUSIONS: dict[str, tuple[str, str]] = {
    "outside_opening_hours": ("begonnen buiten openingstijd", "it started outside opening hours"),
    "excluded_result": ("het resultaat is uitgezonderd", "its result is excluded"),
    "excluded_product": ("het product is uitgezonderd", "its product is excluded"),
    "excluded_team": ("het team is uitgezonderd", "its team is excluded"),
    "no_deadline": ("er is geen uiterste moment opgegeven", "no deadline was given"),
    "stop_before_start": ("het einde ligt vóór het begin: een fout in de gegevens", "the stop lies before the start: wrong data"),
    "short_abandon": ("heel snel opgehangen", "gave up very soon"),
    "abandoned": ("opgehangen of weggegaan; de norm telt alleen wie geholpen is", "gave up; the norm counts those who were helped"),
    "left_queue": ("anders uit de rij gegaan", "left the queue otherwise"),
    "closed_without_stop": ("gesloten zonder dat de norm is nagekomen of geschonden", "closed without the event that stops the clock"),
    "suspended": ("opgeschort", "suspended"),
}
"""By the reason in an outcome: (Dutch, English). docs/MEASURES.md, "What does not count"."""


def channel_text(channel: str, language: str) -> str:
    """A channel as people read it."""
    return CHANNELS.get(channel, channel) if language == "nl" else channel
