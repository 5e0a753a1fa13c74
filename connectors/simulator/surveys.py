"""The answers that the contacts of one day and channel lead to: hours or days later, and worse after a long wait."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.simulator import profile
from connectors.simulator.contacts import Contacts, Steps, generator
from connectors.simulator.plants import NEVER, Instants
from connectors.simulator.town import DAY_MS, HOUR_MS, MINUTE_MS, midnight

PARTIAL_SHARE = 0.07
COMPLETED_SHARE = 0.6
LATEST_ANSWER_MS = 6 * DAY_MS
GRADE_SPREAD = 1.3


@dataclass
class Surveys:
    """Invitations of one day and channel. `contact` is the position of each in the contacts.

    Steps: `invited`, `answered` (revision 1) and `completed` (revision 2, of answers that were partial at first).
    `partial` tells which first revisions are; of those the first two of the `grades` (n by aspect, 1-10) are given.
    """

    contact: NDArray[np.int64]
    steps: Steps
    partial: NDArray[np.bool_]
    grades: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.contact)


def draw(seed: int, contacts: Contacts) -> Surveys:
    """Who of the contacts is invited and what they answer."""
    channel = contacts.channel
    rng = generator(seed, contacts.day, channel, 1)
    total = len(contacts)
    ended = contacts.steps.at["closed"]
    chance = rng.random(total)
    day_effect = 0.1 * rng.standard_normal()
    contact = np.flatnonzero((chance < channel.invited) & (ended < NEVER) & (contacts.steps.at["withdrawn"] == NEVER))
    n = len(contact)
    invited = ended[contact] + rng.integers(10 * MINUTE_MS, 90 * MINUTE_MS, n)
    answers = rng.random(n) < channel.response
    delay = np.minimum(rng.lognormal(np.log(5 * HOUR_MS), 1.3, n), LATEST_ANSWER_MS).astype(np.int64)
    answered = np.where(answers, _awake(invited + delay, contacts), NEVER)
    partial = rng.random(n) < PARTIAL_SHARE
    completes = answers & partial & (rng.random(n) < COMPLETED_SHARE)
    completed = np.where(completes, answered + rng.integers(HOUR_MS, DAY_MS, n), NEVER)
    steps = Steps()
    steps.add("invited", invited, rng)
    steps.add("answered", answered, rng)
    steps.add("completed", completed, rng)
    return Surveys(contact, steps, partial, _grades(contacts, contact, day_effect, rng))


def _awake(at: Instants, contacts: Contacts) -> Instants:
    """Answers of the small hours come in the morning instead."""
    hour = (at - midnight(contacts.day)) % DAY_MS // HOUR_MS
    return np.where(hour < 7, at + 7 * HOUR_MS, at)


def _grades(contacts: Contacts, contact: NDArray[np.int64], day_effect: float, rng: np.random.Generator) -> NDArray[np.int64]:
    n = len(contact)
    strain = contacts.strain[contact]
    mood = contacts.channel.grade + day_effect - 0.55 * strain + contacts.mood[contact] + GRADE_SPREAD * rng.standard_normal(n)
    aspects = mood[:, None] + np.array(profile.ASPECT_OFFSET) + 0.8 * rng.standard_normal((n, len(profile.ASPECTS)))
    aspects[:, 0] = mood
    aspects[:, profile.ASPECTS.index("speed")] -= 0.5 * strain
    grades: NDArray[np.int64] = np.clip(np.rint(aspects), 1, 10).astype(np.int64)
    return grades
