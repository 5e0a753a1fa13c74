"""Version 1 of the event types: CloudEvents 1.0 in the profile of the Dutch government, validated by pydantic.

The types are TypedDicts, not model classes: validating straight into dictionaries is a quarter faster and the core works on
plain values (docs/DESIGN.md, "Hot path"). In Python every time is an integer: epoch milliseconds, floored.
"""

from typing import Annotated, Any, Literal, NotRequired, TypeAlias, Union

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from schemas.types import Channel, Identifier, Instant, Number, PersonHash, Slug, Text, Urn

PREFIX = "nl.contactmeter."
_CLOSED = ConfigDict(extra="forbid", strict=True)


class Reference(TypedDict):
    """A contact as another system knows it."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    system: Slug
    id: Identifier


class ContactData(TypedDict):
    """What every contact event says: which contact (an id of the sender's own system) and when it happened."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    contact: Identifier
    occurred_at: Instant


class Attributes(TypedDict):
    """What is known of a contact; the latest value of each counts.

    `term_starts_at`: from when a statutory term runs, where that is not the contact's opening (the end of an objection period).
    `same_as`: this is another system's record of that contact. A `confidential` contact is counted only.
    """

    channel: NotRequired[Channel]
    via: NotRequired[Text]
    product: NotRequired[Text]
    team: NotRequired[Text]
    location: NotRequired[Text]
    segment: NotRequired[Text]
    direction: NotRequired[Literal["inbound", "outbound"]]
    complexity: NotRequired[Literal["simple", "complex"]]
    appointment_at: NotRequired[Instant]
    term_starts_at: NotRequired[Instant]
    deadlines: NotRequired[dict[Slug, Instant]]
    person: NotRequired[PersonHash]
    same_as: NotRequired[Reference]
    link: NotRequired[Identifier]
    confidential: NotRequired[bool]


class OpenedData(ContactData, Attributes):
    """The contact begins. `channel` is required here."""

    channel: Channel  # type: ignore[misc]


class CorrectedData(ContactData, Attributes):
    """Later values of attributes: recategorised, another channel."""


class QueuedData(ContactData):
    """Enters a queue."""

    queue: NotRequired[Text]


class LeftQueueData(ContactData):
    """Leaves the queue other than by giving up or being answered."""

    reason: Literal["timeout", "empty", "key", "voicemail", "withdrawn"]


class AbandonedData(ContactData):
    """The citizen gives up. With `wait_unknown` the source knows that, not when: no wait is recorded and it is never a short abandon."""

    wait_unknown: NotRequired[bool]


class AcknowledgedData(ContactData):
    """Receipt confirmed, perhaps by a machine."""

    automatic: NotRequired[bool]


class PromisedData(ContactData):
    """A term told to the citizen; it is a norm of its own."""

    norm: Slug
    due_at: Instant


class ExtendedData(ContactData):
    """A term is extended to `due_at`; without `norm`, every term of the contact."""

    due_at: Instant
    norm: NotRequired[Slug]


class PausedData(ContactData):
    """The clock stands still while the citizen must do something."""

    reason: NotRequired[Text]


class CalledBackData(ContactData):
    """A call-back note is settled, or tried in vain."""

    reached: bool


class TransferredData(ContactData):
    """Handed to another team."""

    team: Text


class ClosedData(ContactData):
    """The contact ends, with a result."""

    result: NotRequired[Slug]


class WithdrawnData(ContactData):
    """A duplicate, test or spam: counts for nothing, stays traceable."""

    reason: NotRequired[Text]


class _SurveyData(TypedDict):
    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    occurred_at: Instant
    instrument: Slug
    version: Annotated[int, Field(ge=1, le=65_535)]
    wave: NotRequired[Slug]
    invitation: NotRequired[Identifier]
    contact: NotRequired[Reference]
    channel: NotRequired[Channel]
    product: NotRequired[Text]
    team: NotRequired[Text]
    location: NotRequired[Text]
    segment: NotRequired[Text]


class InvitedData(_SurveyData):
    """A citizen is asked to answer."""


class AnsweredData(_SurveyData):
    """An answer; a later `revision` of the same `answer` replaces an earlier one.

    `items` maps each aspect to its value on the instrument's scale. A `comment` is dropped unless the instrument keeps comments.
    """

    answer: Identifier
    revision: Annotated[int, Field(ge=0, le=1_000_000)]
    status: Literal["partial", "complete"]
    items: Annotated[dict[Slug, Number], Field(max_length=100)]
    has_comment: NotRequired[bool]
    comment: NotRequired[Annotated[str, Field(max_length=4_000)]]


Gauge = Literal["waiting", "counters_open", "longest_wait_s", "visits"]
"""What is observed of a channel. `visits`: of a website, in the hour that ends at `occurred_at`; `queue` names the part of the site."""


class ChannelObservedData(TypedDict):
    """What a queue looks like at this moment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    occurred_at: Instant
    channel: Channel
    queue: NotRequired[Text]
    gauges: Annotated[dict[Gauge, Annotated[float, Field(ge=0, le=1e9)]], Field(min_length=1)]


class ConnectorObservedData(TypedDict):
    """Heartbeat of a connector: a quiet source and a dead one must not look alike."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    occurred_at: Instant
    connector: Slug
    last_read_at: NotRequired[Instant]
    lag_s: NotRequired[Annotated[float, Field(ge=0, le=1e9)]]
    cursor: NotRequired[Annotated[str, Field(max_length=1000)]]


MarkerSetData = TypedDict(
    "MarkerSetData",
    {
        "occurred_at": Instant,
        "marker": Identifier,
        "kind": Literal["announced_change", "questionnaire_change", "reorganisation", "campaign", "maintenance", "outage", "initiative"],
        "from": Instant,
        "to": NotRequired[Instant],
        "channels": NotRequired[list[Channel]],
        "note": NotRequired[Text],
    },
)
# The functional form, because `from` can't be an attribute.
MarkerSetData.__doc__ = (
    "An announced change that figures must carry; without `channels` it concerns all of them, without `to` it has no end yet."
)
MarkerSetData.__pydantic_config__ = _CLOSED  # type: ignore[attr-defined]


class MarkerCancelledData(TypedDict):
    """A marker no longer holds."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    occurred_at: Instant
    marker: Identifier


class IncidentData(TypedDict):
    """A person takes note of an incident, or silences it until a moment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    occurred_at: Instant
    incident: Identifier
    who: Text
    until: NotRequired[Instant]
    reason: NotRequired[Text]


class Envelope(TypedDict):
    """CloudEvents 1.0 attributes. `source` names the system that speaks, `time` is when it logged the event.

    Nothing sensitive belongs here.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    specversion: Literal["1.0"]
    id: Identifier
    source: Urn
    time: Instant
    datacontenttype: NotRequired[Literal["application/json"] | None]
    dataschema: NotRequired[Annotated[str, Field(max_length=500)] | None]
    dataref: NotRequired[Annotated[str, Field(max_length=500)] | None]


DATA_OF_KIND: dict[str, Any] = {
    "contact.opened": OpenedData,
    "contact.queued": QueuedData,
    "contact.answered": ContactData,
    "contact.abandoned": AbandonedData,
    "contact.left_queue": LeftQueueData,
    "contact.acknowledged": AcknowledgedData,
    "contact.informed": ContactData,
    "contact.responded": ContactData,
    "contact.promised": PromisedData,
    "contact.paused": PausedData,
    "contact.resumed": ContactData,
    "contact.extended": ExtendedData,
    "contact.callback_requested": ContactData,
    "contact.called_back": CalledBackData,
    "contact.transferred": TransferredData,
    "contact.closed": ClosedData,
    "contact.reopened": ContactData,
    "contact.corrected": CorrectedData,
    "contact.withdrawn": WithdrawnData,
    "contact.forgotten": ContactData,
    "survey.invited": InvitedData,
    "survey.answered": AnsweredData,
    "channel.observed": ChannelObservedData,
    "connector.observed": ConnectorObservedData,
    "marker.set": MarkerSetData,
    "marker.cancelled": MarkerCancelledData,
    "incident.acknowledged": IncidentData,
    "incident.silenced": IncidentData,
}
"""The `data` of each kind; a kind is a type without the prefix `nl.contactmeter.`."""

KINDS: tuple[str, ...] = tuple(DATA_OF_KIND)

Event: TypeAlias = dict[str, Any]
"""A validated event: the envelope with `type` and `data`, times as epoch milliseconds."""


def _event_type(kind: str, data: Any) -> Any:
    """The TypedDict of one kind: the envelope, its literal type and its data."""
    name = "".join(part.capitalize() for part in kind.replace(".", "_").split("_"))
    event = TypedDict(name, {**Envelope.__annotations__, "type": Literal[PREFIX + kind], "data": data})  # type: ignore[misc]
    event.__pydantic_config__ = _CLOSED  # type: ignore[attr-defined]
    event.__doc__ = data.__doc__
    return event


EVENT_OF_KIND: dict[str, Any] = {kind: _event_type(kind, data) for kind, data in DATA_OF_KIND.items()}
AnyEvent: Any = Annotated[Union[tuple(EVENT_OF_KIND.values())], Field(discriminator="type")]  # noqa: UP007
EVENT: TypeAdapter[Event] = TypeAdapter(AnyEvent)
EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[AnyEvent])
"""Validates the JSON text of a batch; errors carry the position of the bad event as the first part of their location."""
