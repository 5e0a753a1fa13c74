"""Contacts to be forgotten: those of a person, with all that tell of the same contact, and whether they are gone."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from pipeline.rows import events_of, links_of
from pipeline.store.client import passing_errors

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
    with passing_errors("looking for contacts"):
        rows = client.query(
            "SELECT DISTINCT system, contact FROM contacts WHERE organisation = {organisation:String} "
            "AND (system, contact) IN {names:Array(Tuple(String, String))}",
            parameters={"organisation": organisation, "names": list(names)},
        ).result_rows
    return set(names) - {(system, contact) for system, contact in rows}


def with_links(client: Client, organisation: str, found: Sequence[Name]) -> list[Name]:
    """These contacts and those by which other systems tell of the same one, in either direction. Raises Unavailable."""
    known, new = dict.fromkeys(found), list(found)
    while new:
        with passing_errors("looking for what other systems tell of a contact"):
            rows = client.query(
                "SELECT timeline, links FROM contacts FINAL WHERE organisation = {organisation:String} AND (system, contact) IN "
                "{names:Array(Tuple(String, String))}",
                parameters={"organisation": organisation, "names": new},
            ).result_rows
        new = []
        for timeline, links in rows:
            named = (event[6]["same_as"] for event in events_of(timeline) if "same_as" in event[6])
            names = [(reference["system"], reference["id"]) for reference in named]
            new.extend(name for name in [*names, *links_of(links)] if name not in known)
            known.update(dict.fromkeys(new))
    return list(known)


def not_yet_erased(client: Client, organisation: str, names: Sequence[Name]) -> int:
    """How many of these contacts still have rows that say anything. Raises Unavailable."""
    with passing_errors("looking whether contacts are erased"):
        found: int = client.query(
            "SELECT countDistinct(system, contact) FROM contacts WHERE organisation = {organisation:String} AND NOT forgotten "
            "AND (system, contact) IN {names:Array(Tuple(String, String))}",
            parameters={"organisation": organisation, "names": list(names)},
        ).result_rows[0][0]
    return found
