"""Texts that people read, Dutch by default and English by choice."""

from typing import NamedTuple

from schemas.words import Language

LANGUAGES: tuple[Language, ...] = ("nl", "en")


class Text(NamedTuple):
    """The same text in both languages."""

    nl: str
    en: str

    def of(self, language: Language) -> str:
        """The text in a language."""
        return self.nl if language == "nl" else self.en
