"""Where panels send a reader who asks what to do: the sections of docs/OPERATIONS.md, which Grafana and the local board serve."""

from typing import Final

PAGE: Final = "/public/contactmeter/operations.html"
"""Grafana serves what lies in its folder `public`; docker-compose.yml mounts generated/public there."""


def link(anchor: str) -> str:
    """The address of a section."""
    return f"{PAGE}#{anchor}"
