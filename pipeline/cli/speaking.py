"""What an operator says of an organisation: moments in its local time, sent as an event in its own name, with a row in the trail."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.identity import cloud_event, event_id
from connectors.sender import Sender
from pipeline.cli.actor import actor
from pipeline.settings import Settings
from pipeline.store import audit, configuration
from pipeline.store.client import Client
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation
from schemas.types import epoch_ms

KAFKA_PATIENCE_S = 10.0
OPERATOR = "contactmeter"
"""The system of the organisation's file in whose name an operator speaks."""


def in_force(client: Client, organisation: str) -> Organisation:
    """Its configuration. Raises InvalidConfiguration when there is none."""
    return stored_in_force(client, organisation).organisation


def stored_in_force(client: Client, organisation: str) -> configuration.InForce:
    """Its configuration as it is stored. Raises InvalidConfiguration when there is none."""
    stored = configuration.in_force(client).get(organisation)
    if stored is None:
        raise InvalidConfiguration(f"no organisation {organisation!r} is in force")
    return stored


def moment(organisation: Organisation, option: str, text: str) -> int:
    """Epoch ms of what `option` was given; without a zone it is local time. Raises InvalidConfiguration."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidConfiguration(f"{option} {text!r} is no moment; write 2026-03-02T09:00 or 2026-03-02") from None
    return epoch_ms(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(organisation.zone)))


def operator_source(organisation: Organisation) -> str:
    """The source in whose name an operator speaks. Raises InvalidConfiguration when the organisation's file has none."""
    system = organisation.systems.get(OPERATOR)
    if system is None:
        example = f'{OPERATOR}: {{sources: ["urn:nld:oin:<OIN>:systeem:{OPERATOR}"]}}'
        raise InvalidConfiguration(f"the file of {organisation.organisation} has no system {OPERATOR!r}; add to `systems`: {example}")
    return system.sources[0]


def say(found: Settings, client: Client, organisation: Organisation, kind: str, subject: str, data: Mapping[str, Any], now_ms: int) -> None:
    """Send an event of a kind about `subject`, wait until Kafka has it, and note it. Raises what operator_source and Sender raise."""
    identifier = event_id(kind, subject, json.dumps(data, sort_keys=True))
    event = cloud_event(kind, operator_source(organisation), identifier, now_ms, data)
    with Sender(found.kafka, give_up_after=KAFKA_PATIENCE_S, security=found.kafka_security.options(), connector=OPERATOR) as sender:
        sender.send(organisation.organisation, [event])
    audit.note(client, now_ms, organisation.organisation, actor(), kind.replace(".", "_"), json.dumps(data, ensure_ascii=False))
