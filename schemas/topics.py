"""The topics, read from topics.yaml beside this file."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

CONTACT_EVENTS = "contact-events"
REJECTED_EVENTS = "rejected-events"
SIGNALS = "signals"
CONNECTOR_CURSORS = "connector-cursors"


@dataclass(frozen=True)
class Topic:
    """One topic as data. `config` is Kafka's topic configuration, name to value."""

    name: str
    description: str
    partitions: int
    key: str
    value: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    config: dict[str, str]


@cache
def topics() -> dict[str, Topic]:
    """Every topic by name."""
    declared = yaml.safe_load(resources.files("schemas").joinpath("topics.yaml").read_text())
    return {
        name: Topic(**{"name": name, **entry, "producers": tuple(entry["producers"]), "consumers": tuple(entry["consumers"])})
        for name, entry in declared.items()
    }
