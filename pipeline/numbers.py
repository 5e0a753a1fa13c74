"""Numbers as people read them, in Dutch and English."""

from typing import Protocol


class Spoken(Protocol):
    """Words of a language."""

    @property
    def lang(self) -> str:
        """nl or en."""


def number_text(value: float | None, words: Spoken, digits: int = 0, signed: bool = False) -> str:
    """A number with so many decimals; – for none. What rounds to nothing has no sign."""
    if value is None:
        return "–"
    rounded = round(value, digits) or 0.0
    text = f"{rounded:{'+' if signed and rounded else ''},.{digits}f}".replace("-", "−")
    return text.translate(str.maketrans(",.", ".,")) if words.lang == "nl" else text


def share_text(value: float | None, words: Spoken, signed: bool = False) -> str:
    """A share of 0-1 in percent."""
    return "–" if value is None else f"{number_text(100 * value, words, 1, signed)} %"
