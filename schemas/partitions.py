"""Which partition of a topic holds an organisation.

Clients hash keys differently, so no client may choose: every producer passes this number.
"""

from zlib import crc32

PARTITIONS = 64
"""Partitions of contact-events and rejected-events. It never changes for the life of a topic."""


def partition_of(organisation: str) -> int:
    """crc32 (ISO 3309, as in zlib) of the UTF-8 slug, modulo 64."""
    return crc32(organisation.encode()) % PARTITIONS
