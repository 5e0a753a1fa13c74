"""One contact as it is stored, for a person who asks."""

from contextlib import closing

from pipeline.answers import StoredAnswer
from pipeline.held import StoredContact
from pipeline.store import configuration, state
from pipeline.store.client import Connection, passing_errors
from schemas.organisation import Organisation


def find(connection: Connection, organisation: str, name: str) -> tuple[Organisation, list[StoredContact]]:
    """The configuration in force and the contacts of that name: `SYSTEM/ID`, or an id in whatever system. Raises Unavailable.

    Raises KeyError when no such organisation is stored. An empty `organisation` stands for the only one there is.
    """
    with closing(connection.open()) as client:
        known = configuration.in_force(client)
        in_force = known[organisation] if organisation or len(known) != 1 else next(iter(known.values()))
        slug = in_force.organisation.organisation
        system, slash, contact = name.partition("/")
        keys = [(slug, system, contact)] if slash and system in in_force.organisation.systems else []
        with passing_errors("looking for the contact"):
            rows = client.query(
                "SELECT DISTINCT system FROM contacts WHERE organisation = {organisation:String} AND contact = {contact:String} ORDER BY 1",
                parameters={"organisation": slug, "contact": name},
            ).result_rows
        return in_force.organisation, state.contacts(client, [*keys, *((slug, system, name) for (system,) in rows)])


def answers_naming(connection: Connection, contact: StoredContact) -> list[StoredAnswer]:
    """The survey answers that name a contact, by when they were given. Raises Unavailable."""
    with closing(connection.open()) as client:
        found = state.answers(client, [(contact.key[0], *key) for key in sorted(contact.answers)])
    return sorted(found, key=lambda one: one.value[3] if one.value is not None else 0)
