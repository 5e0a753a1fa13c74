"""The detector of one stream: hourly sums in, one of ok, a fall, a rise out. Some dozens of numbers of state beside the baseline.

Each side has three components, one a shift (statistic.py), fed with what hours say (evidence.py). The mean of their W is held against A.

The level is learned while all is quiet. An announced change makes it unknown (info = 4): silent until it is known to a third of the small
shift. While a side is in alarm, a CUSUM asks whether it is over, and what was told may turn out to grow (growth.py).
"""

import math
from typing import Any, Literal

from pipeline.drift.baseline import HOURS, Baseline
from pipeline.drift.evidence import Evidence, Hour
from pipeline.drift.growth import Growth
from pipeline.drift.statistic import Component, mean

Status = Literal["ok", "drifting_down", "drifting_up"]
SIDES = (-1, 1)
QUARTER_DAYS = 91.25
OVERSHOOT = 0.6
"""W passes its threshold by a whole step: for a unit shift it takes 1.8 times A days on average (100.79 for 56.04: Moustakides 2009)."""
_LEARNT_DAYS = 200
_WANDER_DAYS = 70
"""In so many days a level may wander by the kind's tolerance."""
_AFRESH = 4.0
_PREMATURE_DAYS = 40
_OF_ESTIMATE = 0.6


def threshold(budget: float) -> float:
    """ln A, A = 0.6·182.5/budget: each of the two sides may give half of `budget` false alarms a quarter."""
    return math.log(OVERSHOOT * 2 * QUARTER_DAYS / budget)


class Detector:
    """Feed sums in order of their hours; hours are counted from a Monday 00:00 in local time.

    A sum may be fed in pieces: `update` adds to the hour that is under way and tells what is known already; the hour is taken when a later
    one begins, or by `close`. alarm: 0, or the side in which it drifts. alarms: the hours of those of the last quarter. passed: ln A of the
    last. recovering_from: the hour since which what was seen speaks for a recovery. lasted_until: the same of the alarm that ended last.
    grown: whether the change has grown since it was told, which `told` says.
    """

    def __init__(self, baseline: Baseline, budget: float) -> None:
        self._first_limit = self.limit = self.passed = threshold(budget)
        self.alarms: list[int] = []
        self.alarm = 0
        self.level = 0.0
        self.hour: int | None = None
        self.silent = False
        self._day = -1
        self._used = 0.0
        self._v = self._n = 0.0
        self._back = 0.0
        self._estimate = 0.0
        self.recovering_from = self.lasted_until = 0
        self.grown = False
        self._growth: Growth | None = None
        self._components = {side: [Component() for _ in range(3)] for side in SIDES}
        self.rebase(baseline)

    def rebase(self, baseline: Baseline) -> None:
        """Go on with another baseline: the level is that of the baseline."""
        self.close()
        self.baseline, self._evidence = baseline, Evidence(baseline)
        constants = baseline.constants
        self._needed = (3 / constants.shifts[0]) ** 2
        self._most = max(_LEARNT_DAYS * baseline.daily / baseline.over_week, 1.5 * self._needed)
        self.level = 0.0
        self.info = min(baseline.known, self._most)
        self.silent = self.silent or (self.info < self._needed and not self.alarm)

    def relearn(self, hour: int) -> None:
        """Something was announced: what was usual is no longer; also ends what was found before."""
        self.close()
        self.info = _AFRESH
        self.silent = True
        self._reset(hour)

    def _reset(self, hour: int) -> None:
        self.alarm = 0
        for side in SIDES:
            self._restart(side, hour)

    def _restart(self, side: int, hour: int) -> None:
        self._back, self._growth, self.grown = 0.0, None, False
        for component in self._components[side]:
            component.reset(hour)

    # ── feeding ─────────────────────────────────────────────────────────────────────────────────────────────────

    def update(self, hour: int, value: float, weight: float) -> Status:
        """Add (value, weight) to the sum of an hour; for volume the value is a number of contacts, and adds up. Earlier hours are refused.

        Raises ValueError when the hour lies before the one under way, and for what is no number: it would stay in every sum.
        """
        weight = 1.0 if self.baseline.kind == "volume" else weight
        if weight > 0 and not math.isfinite(value * weight):
            raise ValueError(f"the sum of hour {hour} is no number: {value} of {weight}")
        if hour != self.hour:
            if self.hour is not None and hour < self.hour:
                raise ValueError(f"hour {hour} comes after hour {self.hour}; feed sums in order")
            self.close()
            self.hour = hour
            self._v, self._n = 0.0, 0.0
            if self.alarms:
                self._spend()
        if self.baseline.kind == "volume":
            self._v, self._n = self._v + value, 1.0
        elif weight > 0:
            self._n += weight
            self._v += (value - self._v) * weight / self._n
        if self._n > 0 and not self.silent:
            self._look()
        return self.status

    @property
    def status(self) -> Status:
        """What is known now."""
        return "ok" if self.alarm == 0 else "drifting_up" if self.alarm > 0 else "drifting_down"

    def close(self) -> None:
        """Take the hour that is under way: nothing will be added to it."""
        if self.hour is None or self._n <= 0:
            return
        told, hour = self._tell(), self.hour
        quiet = self._take(hour, told) if not self.silent else True
        self._used, self._v, self._n = told.used, 0.0, 0.0
        if quiet:
            self._learn(told)
        if self.silent and self.info >= self._needed:
            self.silent = False
            self._reset(hour + 1)

    def _tell(self, further: float = 0.0) -> Hour:
        """The hour under way as it stands; `further`: against a level that is off by so much."""
        assert self.hour is not None
        if self.hour // 24 != self._day:
            self._day, self._used = self.hour // 24, 0.0
        return self._evidence.hour(self.baseline.cells[self.hour % HOURS] + self.level + further, self._v, self._n, self._used)

    def _look(self) -> None:
        """Whether the hour under way, as far as it has come, finds a change, ends one, or lets one grow."""
        told, evidence, margin = self._tell(), self._evidence, self._margin()
        for side in SIDES:
            if side != self.alarm:
                logs = [
                    component.after(told.deltas[number], evidence.gain(told, side, number, margin))
                    for number, component in enumerate(self._components[side])
                ]
                if mean(logs) >= self.limit:
                    self._found(side)
        if self.alarm and self._comes_back(told) >= self._enough():
            self._over()
        if self._growth is not None:
            self.grown = self._growth.after(evidence, self._tell(self._growth.reference), margin) >= self.limit

    def _take(self, hour: int, told: Hour) -> bool:
        """Take an hour into the statistics; whether both sides are quiet."""
        evidence, margin = self._evidence, self._margin()
        if self.alarm:
            self._back = self._comes_back(told)
        if self._growth is not None:
            self._growth.take(evidence, hour, self._tell(self._growth.reference), margin, self.size())
        quiet = self.alarm == 0
        for side in SIDES:
            logs = [
                evidence.step(component, hour, told, number, evidence.gain(told, side, number, margin))
                for number, component in enumerate(self._components[side])
            ]
            quiet = quiet and mean(logs) < self.limit / 2
        if self.alarm and self._back == 0:
            self._estimate = evidence.size(self.leading(), None)
            self.recovering_from = hour + 1
        return quiet

    def _found(self, side: int) -> None:
        assert self.hour is not None
        if self.alarm:
            self.lasted_until = self.recovering_from
            self._restart(self.alarm, self.hour)
        self.alarm, self.passed = side, self.limit
        self.alarms.append(self.hour)
        self._spend()
        self._back = 0.0
        self._estimate = self.size()
        self.recovering_from = self.hour + 1

    def _spend(self) -> None:
        """Each alarm of the last quarter doubles A: the budget is of a quarter, whatever a stream does that its baseline does not know."""
        assert self.hour is not None
        self.alarms = [at for at in self.alarms if at > self.hour - 24 * QUARTER_DAYS]
        self.limit = self._first_limit + math.log(2) * len(self.alarms)

    def _over(self) -> None:
        assert self.hour is not None
        side, self.alarm = self.alarm, 0
        self.lasted_until = self.recovering_from
        self._restart(side, self.hour + 1)

    def _learn(self, told: Hour) -> None:
        """A step of a Kalman filter for a level that wanders (a local level model: Harvey 1989), by as much as nobody would act on."""
        wander = self.baseline.constants.tolerance**2 / _WANDER_DAYS * told.deltas[0]
        if self.info > self._needed:
            self.info = max(self.info / (1 + self.info * wander), self._needed)
        self.info = min(self.info + told.f * told.i / told.c, self._most)
        step = told.f * told.u / (told.c * self.info)
        self.level += min(max(step, -0.5), 0.5)
        self._evidence.at_level(self.level)

    # ── onset, size, growth, over ───────────────────────────────────────────────────────────────────────────────

    def _margin(self) -> float:
        """ε = ½√(1/info + tolerance²), what the level may be off by; in whole hundredths, so that what is made for it serves for long."""
        return math.ceil(50 * math.sqrt(1 / self.info + self.baseline.constants.tolerance**2)) / 100

    def leading(self) -> Component:
        """The component most likely on the side of the alarm, by its likelihood since its onset: its onset and sums are the change's."""
        return max(self._components[self.alarm or 1], key=lambda one: one.s)

    def size(self) -> float:
        """The change since the onset in the kind's scale, with the hour under way."""
        return self._evidence.size(self.leading(), self._tell() if self._n > 0 else None)

    def told(self) -> None:
        """The change was told as it is now: from here on it is asked whether it grows."""
        size = self.size()
        if self._growth is not None and self.grown:
            reference = self._growth.reference
            size = reference + self._evidence.size(self._growth.leading(), self._tell(reference))
        self.grown = False
        self._growth = Growth(self.alarm, size, (self.hour or 0) + 1)

    def grown_since(self) -> int:
        """The hour since which it has been more than was told."""
        assert self._growth is not None
        return int(self._growth.leading().onset)

    def expected(self, hour: int) -> float:
        """What is expected in an hour, in the figure's own scale: a grade, a share, log-seconds, a number of contacts."""
        return self._evidence.expected(self.baseline.cells[hour % HOURS] + self.level)

    def _towards(self) -> float:
        """r̂: the change that a recovery is held against, 0.6 of its estimate, within the range of shifts."""
        small, _, extreme = self.baseline.constants.shifts
        size = min(max(_OF_ESTIMATE * abs(self._estimate), small), extreme)
        return self.alarm * round(size * 20) / 20

    def _comes_back(self, told: Hour) -> float:
        """R after the hour: a CUSUM of no change against a change of r̂."""
        return max(0.0, self._back - told.powers[0] * self._evidence.log_ratio(told, self._towards()))

    def _enough(self) -> float:
        """The R at which it is over: once in 40 days while the change lasts (x + ln(1 + x): Lorden 1971, with the overshoot)."""
        base, shift = self.baseline, self._towards()
        x = _PREMATURE_DAYS * base.daily * shift * shift / (2 * base.over_week)
        return math.log(1 + x + math.log(1 + x))

    # ── state ───────────────────────────────────────────────────────────────────────────────────────────────────

    def statistic(self) -> tuple[float, float]:
        """ln W of the fall and of the rise, as of the last hour taken."""
        down, up = (mean([one.w for one in self._components[side]]) for side in SIDES)
        return down, up

    def state(self) -> dict[str, Any]:
        """Everything that is not the baseline, as plain values; the hour under way is taken first."""
        self.close()
        return {
            "alarm": self.alarm, "level": self.level, "info": self.info, "silent": self.silent, "day": self._day,
            "used": self._used, "back": self._back, "estimate": self._estimate, "from": self.recovering_from, "hour": self.hour,
            "alarms": self.alarms,
            "growth": self._growth.state() if self._growth is not None else None,
            "components": [[one.state() for one in self._components[side]] for side in SIDES],
        }  # fmt: skip

    @classmethod
    def of(cls, baseline: Baseline, budget: float, state: dict[str, Any]) -> "Detector":
        """From stored values, to go on where they were taken."""
        made = cls(baseline, budget)
        made.alarm, made.level, made.info = state["alarm"], state["level"], state["info"]
        made.silent, made._day, made._used = state["silent"], state["day"], state["used"]
        made._back, made._estimate, made.recovering_from, made.hour = state["back"], state["estimate"], state["from"], state["hour"]
        made.alarms = list(state["alarms"])
        if made.alarms:
            made._spend()
        made._evidence.at_level(made.level)
        made._growth = Growth.of(state["growth"]) if state["growth"] is not None else None
        made._components = {
            side: [Component.of(one) for one in components] for side, components in zip(SIDES, state["components"], strict=True)
        }
        return made
