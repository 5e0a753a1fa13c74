"""Contacts to be forgotten: those of a person, with all that tell of the same contact, and whether they are gone."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from pipeline.held import Contact
from pipeline.store import state
from pipeline.store.client import passing_errors
from pipeline.versions import TOMBSTONE

Name = tuple[str, str]
"""(system, contact)."""


def contacts(client: Client, organisation: str, hashes: Sequence[str]) -> list[Name]:
    """The contacts of persons, by their keyed hashes. Raises Unavailable."""
    if not hashes:
        return []
    with passing_errors("looking for the contacts of a person"):
        rows = client.query(
            "SELECT system, contact FROM contacts FINAL WHERE organisation = {organisation:String} AND person IN {hashes:Array(String)} "
            "ORDER BY system, contact",
            parameters={"organisation": organisation, "hashes": list(hashes)},
        ).result_rows
    return [(system, contact) for system, contact in rows]


def unknown(client: Client, organisation: str, names: Sequence[Name]) -> set[Name]:
    """Those of which nothing is stored. Raises Unavailable."""
    return set(names) - {(stored.key[1], stored.key[2]) for stored in state.contacts(client, [(organisation, *name) for name in names])}


def with_links(client: Client, organisation: str, found: Sequence[Name]) -> list[Name]:
    """These contacts and those by which other systems tell of the same one, in either direction. Raises Unavailable."""
    known = dict.fromkeys(found)
    new = list(known)
    while new:
        stored = map(Contact.stored, state.contacts(client, [(organisation, *name) for name in new]))
        new = sorted({name for contact in stored for name in (*contact.targets, *contact.links)} - known.keys())
        known.update(dict.fromkeys(new))
    return list(known)


def erased(client: Client, organisation: str, names: Sequence[Name]) -> bool:
    """Whether these contacts say nothing any more, and all that is to be deleted with them, answers included, is off the disk.

    What else is being forgotten of the organisation is waited for too. Raises Unavailable.
    """
    if any(stored.version != TOMBSTONE for stored in state.contacts(client, [(organisation, *name) for name in names])):
        return False
    with passing_errors("looking whether contacts are erased"):
        left: int = client.query(
            "SELECT count() FROM tombstones FINAL WHERE organisation = {organisation:String} AND toUnixTimestamp64Milli(erased_at) = 0",
            parameters={"organisation": organisation},
        ).result_rows[0][0]
    return not left
