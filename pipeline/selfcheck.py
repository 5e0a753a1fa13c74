"""The running check of decision 6: the sums that a worker holds equal those that SQL computes from the stored rows."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline import metrics
from pipeline.health import Health
from pipeline.minutes import Sum

log = logging.getLogger(__name__)

Minutes = Mapping[tuple[str, str, int], Sum]
"""Sums by (channel, measure, minute)."""


@dataclass(slots=True)
class Difference:
    """Sums of an organisation that differ. `explained`: another worker wrote rows since our state was computed."""

    organisation: str
    sums: int
    examples: str
    explained: bool = False

    def report(self, health: Health) -> None:
        """Say it and count it: a late writer is no fault, anything else must not be."""
        if self.explained:
            log.warning("organisation %s: a late writer was found; its state is computed anew (%s)", self.organisation, self.examples)
            metrics.RECOMPUTED.inc()
            return
        text = "organisation %s: %d sums differ from the stored rows; they are computed anew (%s)"
        log.error(text, self.organisation, self.sums, self.examples)
        metrics.MISMATCHES.inc(self.sums)
        health.mismatches += self.sums


def compare(organisation: str, held: Minutes, stored: Minutes) -> Difference | None:
    """None when both are equal."""
    if held == stored:
        return None
    differing = sorted(key for key in held.keys() | stored.keys() if held.get(key) != stored.get(key))
    examples = "; ".join(f"{key}: held {held.get(key)}, stored {stored.get(key)}" for key in differing[:3])
    return Difference(organisation, len(differing), examples)
