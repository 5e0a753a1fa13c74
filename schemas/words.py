"""What channels are called on Dutch screens; English ones show their names of the event contract."""

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


def channel_text(channel: str, language: str) -> str:
    """A channel as people read it."""
    return CHANNELS.get(channel, channel) if language == "nl" else channel
