"""Whether a change that was told grows: the same statistic, against the level that was told instead of the usual one.

So a storm is found that comes while a channel is busier than usual anyway, as soon and as surely as any change.
"""

from typing import Any

from pipeline.drift.evidence import Evidence, Hour
from pipeline.drift.statistic import Component, mean


class Growth:
    """A further change on the side of an alarm. reference: what was told, in the kind's scale; it never shrinks while the alarm lasts."""

    def __init__(self, side: int, reference: float, hour: int) -> None:
        self.side = side
        self.reference = reference
        self._components = [Component() for _ in range(3)]
        for component in self._components:
            component.reset(hour)

    def after(self, evidence: Evidence, told: Hour, margin: float) -> float:
        """ln W after an hour that is not taken yet."""
        return mean(
            [
                component.after(told.deltas[number], evidence.gain(told, self.side, number, margin))
                for number, component in enumerate(self._components)
            ]
        )

    def take(self, evidence: Evidence, hour: int, told: Hour, margin: float, size: float) -> None:
        """Take an hour. size: the whole change as it is known now; where it is more than was told, that is what growth is held against."""
        for number, component in enumerate(self._components):
            evidence.step(component, hour, told, number, evidence.gain(told, self.side, number, margin))
        if size * self.side > self.reference * self.side:
            self.reference = size

    def leading(self) -> Component:
        """The component most likely: its onset is when it grew."""
        return max(self._components, key=lambda one: one.s)

    def state(self) -> dict[str, Any]:
        """As plain values, to be stored."""
        return {"side": self.side, "reference": self.reference, "components": [one.state() for one in self._components]}

    @classmethod
    def of(cls, state: dict[str, Any]) -> "Growth":
        """From stored values."""
        made = cls(state["side"], state["reference"], 0)
        made._components = [Component.of(one) for one in state["components"]]
        return made
