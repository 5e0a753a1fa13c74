"""Where the detector of a stream stood when a day began: from there it is run again when hours since turn out otherwise."""

from typing import NamedTuple


class Checkpoint(NamedTuple):
    """day: days since 1970, by local date. state, baseline: JSON. software: the revision of the detector that wrote them.

    digest: of the hours fed since the checkpoint before; another digest of the same hours means that they have changed.
    """

    day: int
    state: str
    baseline: str
    digest: str
    software: int
