"""Comments of citizens, for instruments that keep them: what could name a person is struck out before anything is stored.

Names and stories can't be found by rule, so comments stay apart, for a short time, and on no board (docs/PRIVACY.md).
"""

import re

STRUCK = "[…]"

_WHAT = (
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE),
    re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}\s?[A-Z0-9]{0,3}\b"),  # IBAN
    re.compile(r"(?<!\w)[+(]{0,2}(?:\d[\s().-]{0,2}){6,}\d(?!\w)"),  # telephone and other long numbers, however they are spaced
    re.compile(r"\b[1-9]\d{3}\s?[A-Za-z]{2}\b(?:\s*,?\s*\d+\s?[A-Za-z]?\b)?"),  # postcode, and house number
    re.compile(r"\d{5,}"),
    re.compile(r"\b[A-Z0-9]{1,3}-[A-Z0-9]{2,3}-[A-Z0-9]{1,3}\b"),  # number plate
)


def redact(text: str) -> str:
    """The text without e-mail and web addresses, bank accounts, postcodes, long numbers and number plates."""
    for what in _WHAT:
        text = what.sub(STRUCK, text)
    return text
