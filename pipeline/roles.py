"""What a contact is good for: whether it counts, and if not, why (docs/MEASURES.md, "One contact, several systems")."""

from collections.abc import Mapping

from pipeline.timeline import Timeline

COUNTS = "counts"
ENRICHES = "enriches"
"""Another system leads its channel; it names the contact of that system by `same_as`."""
UNLINKED = "unlinked"
"""Another system leads its channel; it names no contact of it."""
UNKNOWN = "unknown"
"""No event has told its channel yet."""
WITHDRAWN = "withdrawn"
MAILBOX = "mailbox"
"""Only others have named it so far: a contact that enriches it, or an answer."""
FORGOTTEN = "forgotten"


def role_of(timeline: Timeline, system: str, leading: Mapping[str, str]) -> str:
    """The role of a contact of `system`; leading: the leading system by channel, of the channels that have one."""
    if timeline.forgotten:
        return FORGOTTEN
    if timeline.withdrawn:
        return WITHDRAWN
    if not timeline.events:
        return MAILBOX
    channel = timeline.attributes.get("channel", "")
    if channel and leading.get(channel, system) == system:
        return COUNTS
    # A confidential contact is counted only: it tells nothing to others.
    if timeline.same_as and not timeline.confidential:
        return ENRICHES
    return UNLINKED if channel else UNKNOWN
