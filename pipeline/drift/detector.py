"""The detector of one stream: hourly sums in, one of ok, a fall, a rise out. 22 numbers of state beside those of onset and size.

Each side compares a shift of δ + ε with one of ε: ε = ½√(1/info + tolerance²) is what the level may be off by, for the extreme shift 2τ_d.

The level is learned while all is quiet. An announced change makes it unknown (info = 4): silent until it is known to a third of δ.
"""

import math
from typing import Any, Literal

from pipeline.drift.baseline import HOURS, Baseline
from pipeline.drift.hour import Hour, log_ratio, prepared, told_by
from pipeline.drift.score import logistic
from pipeline.drift.statistic import Component, mean

Status = Literal["ok", "drifting_down", "drifting_up"]
SIDES = (-1, 1)
QUARTER_DAYS = 91.25
_LEARNT_DAYS = 200
_WANDER_DAYS = 70
"""In so many days a level may wander by the kind's tolerance."""
_AFRESH = 4.0
_PREMATURE_DAYS = 120
_OF_ESTIMATE = 0.6


def threshold(budget: float) -> float:
    """ln A, A = 182.5/budget: each of the two sides may give half of `budget` false alarms a quarter."""
    return math.log(2 * QUARTER_DAYS / budget)


class Detector:
    """Feed sums in order of their hours; hours are counted from a Monday 00:00 in local time.

    A sum may be fed in pieces: `update` adds to the hour that is under way and tells what is known already; the hour is taken when a later
    one begins, or by `close`. alarm: 0, or the side in which it drifts. since: the hour in which that was found. recovering_from: the hour
    since which what was seen speaks for a recovery. lasted_until: the same of the alarm that ended last.
    """

    def __init__(self, baseline: Baseline, budget: float) -> None:
        self.limit = threshold(budget)
        self.alarm = 0
        self.since = 0
        self.level = 0.0
        self.hour: int | None = None
        self.silent = False
        self._day = -1
        self._used = 0.0
        self._v = self._n = 0.0
        self._back = 0.0
        self._estimate = 0.0
        self.recovering_from = self.lasted_until = 0
        self._components = {side: [Component() for _ in range(3)] for side in SIDES}
        self.rebase(baseline)

    def rebase(self, baseline: Baseline) -> None:
        """Go on with another baseline: the level is that of the baseline."""
        self.close()
        self.baseline = baseline
        constants = baseline.constants
        self._needed = (3 / constants.shifts[0]) ** 2
        self._most = max(_LEARNT_DAYS * baseline.daily / baseline.over_week, 1.5 * self._needed)
        self.level = 0.0
        self.info = min(baseline.known, self._most)
        self.silent = self.silent or (self.info < self._needed and not self.alarm)
        self._shifts: dict[tuple[int, int, float], tuple[Any, Any]] = {}

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
        self._back = 0.0
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

    def _tell(self) -> Hour:
        """The hour under way as it stands."""
        assert self.hour is not None
        if self.hour // 24 != self._day:
            self._day, self._used = self.hour // 24, 0.0
        return told_by(self.baseline, self.baseline.cells[self.hour % HOURS] + self.level, self._v, self._n, self._used)

    def _look(self) -> None:
        """Whether the hour under way, as far as it has come, finds a change or ends one."""
        told = self._tell()
        for side in SIDES:
            if side != self.alarm:
                logs = [
                    component.after(told.deltas[number], told.powers[number] * self._ratio(told, side, number))
                    for number, component in enumerate(self._components[side])
                ]
                if mean(logs) >= self.limit:
                    self._found(side)
        if self.alarm and self._comes_back(told) >= self._enough():
            self._over()

    def _take(self, hour: int, told: Hour) -> bool:
        """Take an hour into the statistics; whether both sides are quiet."""
        if self.alarm:
            self._back = self._comes_back(told)
        quiet = self.alarm == 0
        for side in SIDES:
            logs = []
            for number, component in enumerate(self._components[side]):
                increment = told.powers[number] * self._ratio(told, side, number)
                w = component.after(told.deltas[number], increment)
                n = told.n if self.baseline.kind != "volume" else 1.0
                component.step(hour, w, increment, told.f * told.u, told.f * told.i, n, n * told.v, n * told.expected)
                logs.append(w)
            quiet = quiet and mean(logs) < self.limit / 2
        if self.alarm and self._back == 0:
            self._estimate = self.size()
            self.recovering_from = hour + 1
        return quiet

    def _found(self, side: int) -> None:
        assert self.hour is not None
        if self.alarm:
            self.lasted_until = self.recovering_from
            self._restart(self.alarm, self.hour)
        self.alarm, self.since = side, self.hour
        self._back = 0.0
        self._estimate = self.size()
        self.recovering_from = self.hour + 1

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

    # ── likelihood ratios ───────────────────────────────────────────────────────────────────────────────────────

    def _ratio(self, told: Hour, side: int, number: int) -> float:
        """ℓ(s(δ + ε)) − ℓ(sε) of an hour, for one of the three shifts."""
        base = self.baseline
        margin = 2 * math.sqrt(base.day) if number == 2 else self._margin()
        key = (side, number, margin)
        pair = self._shifts.get(key)
        if pair is None:
            delta = base.constants.shifts[number]
            pair = self._shifts[key] = (prepared(base, side * (delta + margin)), prepared(base, side * margin))
        return log_ratio(base, told, pair[0]) - log_ratio(base, told, pair[1])

    def _margin(self) -> float:
        """ε, rounded up to hundredths, so that what is prepared for it serves for long."""
        return math.ceil(50 * math.sqrt(1 / self.info + self.baseline.constants.tolerance**2)) / 100

    # ── onset, size, over ───────────────────────────────────────────────────────────────────────────────────────

    def leading(self) -> Component:
        """The component that speaks loudest on the side of the alarm: its onset and sums are those of the change."""
        return max(self._components[self.alarm or 1], key=lambda one: one.w)

    def size(self) -> float:
        """The change since the onset in the kind's scale: ΣfU/Σfi, for compliance and volume carried to the end of the curve."""
        leading = self.leading()
        hour = self._tell() if self._n > 0 else None
        told = leading.told + (hour.f * hour.u if hour else 0.0)
        known = leading.known + (hour.f * hour.i if hour else 0.0)
        n = leading.n + (hour.n if hour else 0.0)
        seen = leading.seen + (hour.n * hour.v if hour else 0.0)
        usual = leading.usual + (hour.n * hour.expected if hour else 0.0)
        if known <= 0:
            return 0.0
        if self.baseline.kind == "volume":
            return math.log((seen + 0.5) / (usual + 0.5))
        if self.baseline.kind == "compliance":
            p, e = (min(max(share / n, 0.5 / (n + 1)), (n + 0.5) / (n + 1)) for share in (seen, usual))
            return math.log(p / (1 - p)) - math.log(e / (1 - e))
        return told / known

    def uncertainty(self) -> float:
        """Half the width of a 95 % interval of the size, in the kind's scale: of what was seen since the onset, and of the level."""
        hour = self._tell() if self._n > 0 else None
        known = self.leading().known + (hour.f * hour.i if hour else 0.0)
        return 1.96 * math.sqrt(self.baseline.over_week / max(known, 1e-9) + 1 / self.info)

    def expected(self, hour: int) -> float:
        """What is expected in an hour, in the figure's own scale: a grade, a share, log-seconds, a number of contacts."""
        m = self.baseline.cells[hour % HOURS] + self.level
        return logistic(m) if self.baseline.kind == "compliance" else math.exp(m) if self.baseline.kind == "volume" else m

    def _towards(self) -> float:
        """r̂: the change that a recovery is held against, 0.6 of its estimate, within the range of shifts."""
        small, _, extreme = self.baseline.constants.shifts
        size = min(max(_OF_ESTIMATE * abs(self._estimate), small), extreme)
        return self.alarm * round(size * 20) / 20

    def _comes_back(self, told: Hour) -> float:
        """R after the hour: a CUSUM of no change against a change of r̂."""
        return max(0.0, self._back - told.powers[0] * log_ratio(self.baseline, told, prepared(self.baseline, self._towards())))

    def _enough(self) -> float:
        """The R at which it is over: once in 120 days while the change lasts (x + ln(1 + x): Lorden 1971, with the overshoot)."""
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
            "alarm": self.alarm, "since": self.since, "level": self.level, "info": self.info, "silent": self.silent, "day": self._day,
            "used": self._used, "back": self._back, "estimate": self._estimate, "from": self.recovering_from, "hour": self.hour,
            "components": [[one.state() for one in self._components[side]] for side in SIDES],
        }  # fmt: skip

    @classmethod
    def of(cls, baseline: Baseline, budget: float, state: dict[str, Any]) -> "Detector":
        """From stored values, to go on where they were taken."""
        made = cls(baseline, budget)
        made.alarm, made.since, made.level, made.info = state["alarm"], state["since"], state["level"], state["info"]
        made.silent, made._day, made._used = state["silent"], state["day"], state["used"]
        made._back, made._estimate, made.recovering_from, made.hour = state["back"], state["estimate"], state["from"], state["hour"]
        made._components = {
            side: [Component.of(one) for one in components] for side, components in zip(SIDES, state["components"], strict=True)
        }
        return made
