"""Beside the stream: judging again in steps, checking the sums, erasing what was forgotten, counting the months."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from pipeline.assignment import Assignment
from pipeline.configured import Configured
from pipeline.health import Health
from pipeline.looking import Looks
from pipeline.showing import Shows
from pipeline.sweeping import AT_ONCE, PAGE, SWEEP_S
from pipeline.upkeep import AGGREGATE_AFTER_S, CHECK_S, ERASE_S, Upkeep
from tests.pipeline.test_worker_loop import ALL, ORGANISATION, Fixture, MemoryStore, run

NAME = "voorbeeld"
Key = tuple[str, str, str]


class Rows(MemoryStore):
    """Says which keys are of an older generation until they were judged again, and what was erased."""

    def __init__(self, contacts: int = 0, answers: int = 0) -> None:
        super().__init__()
        self.left: dict[str, list[Key]] = {
            "contacts": [(NAME, "s", f"c{number}") for number in range(contacts)],
            "survey_answers": [(NAME, "urn", f"a{number}") for number in range(answers)],
        }
        self.asked = 0
        self.erasures = 0
        self.aggregated: list[str] = []

    def older(self, table: str, organisation: str, generation: int, limit: int) -> list[Key]:
        self.asked += 1
        return self.left[table][:limit]

    def erase_forgotten(self, organisations: Sequence[str]) -> int:
        self.erasures += 1
        return 2

    def aggregate(self, organisation: str) -> timedelta:
        self.aggregated.append(organisation)
        return timedelta(hours=3)


class Loop:
    """What upkeep needs of a worker; notes what it was asked to do."""

    def __init__(self, rows: Rows, generation: int = 1) -> None:
        self.rows = rows
        self.loads = 1
        self.entry = Configured.of(ORGANISATION, generation)
        self.names = [NAME]
        self.steps: list[tuple[int, int]] = []
        self.checks: list[str] = []
        self.gone_after = 99
        self.reloads = 0

    def reload(self) -> None:
        self.reloads += 1
        self.loads += 1

    def organisations(self) -> dict[str, Configured]:
        return dict.fromkeys(self.names, self.entry) if len(self.steps) < self.gone_after else {}

    async def judge_again(self, contacts: Sequence[Key], answers: Sequence[Key]) -> bool:
        self.steps.append((len(contacts), len(answers)))
        for table, keys in (("contacts", contacts), ("survey_answers", answers)):
            self.rows.left[table] = [key for key in self.rows.left[table] if key not in set(keys)]
        return True

    async def settled(self) -> None:
        pass

    async def check(self, organisation: str) -> None:
        self.checks.append(organisation)


async def nobody(_messages: object) -> None:
    """Takes messages for the topic; there are none, for no organisation is looked at here."""


class Scene:
    """Upkeep with a clock that is moved by hand."""

    def __init__(self, rows: Rows, generation: int = 1) -> None:
        self.now = 1_000.0
        self.rows = rows
        self.loop = Loop(rows, generation)
        self.health = Health()
        looks = Looks(dict, rows, nobody, lambda: 0, 600.0)  # type: ignore[arg-type]
        shows = Shows(dict, rows, lambda _name: 0, lambda: 0)  # type: ignore[arg-type]
        self.upkeep = Upkeep(self.loop, rows, self.health, looks, shows, lambda: self.now)  # type: ignore[arg-type]

    async def step(self) -> None:
        """One step, and what it began beside."""
        await self.upkeep.step()
        if self.upkeep._erasing is not None:
            await self.upkeep._erasing


def test_what_is_older_is_judged_again_in_steps_and_then_checked() -> None:
    async def scenario() -> None:
        scene = Scene(Rows(contacts=2 * AT_ONCE + 1, answers=3))
        await scene.step()
        assert scene.loop.steps == [(AT_ONCE, 0), (AT_ONCE, 0), (1, 0), (0, 3)]
        assert (scene.loop.checks, scene.health.judging_again) == ([], "")
        await scene.step()
        assert (len(scene.loop.steps), scene.loop.checks) == (4, [NAME])

    run(scenario)


def test_a_page_a_step_so_that_all_else_goes_on() -> None:
    async def scenario() -> None:
        scene = Scene(Rows(contacts=PAGE + 5))
        await scene.step()
        assert (sum(contacts for contacts, _ in scene.loop.steps), scene.rows.erasures) == (PAGE, 1)
        await scene.step()
        assert scene.loop.steps[-1] == (5, 0)

    run(scenario)


def test_what_is_found_again_after_it_was_judged_was_written_over_by_a_late_writer() -> None:
    async def scenario() -> None:
        scene = Scene(Rows(contacts=3))

        async def in_vain(contacts: Sequence[Key], answers: Sequence[Key]) -> bool:
            scene.loop.steps.append((len(contacts), len(answers)))
            return True

        scene.loop.judge_again = in_vain  # type: ignore[method-assign]
        await scene.step()
        await scene.step()
        assert (scene.loop.steps, scene.loop.reloads) == ([(3, 0)], 1)

    run(scenario)


def test_a_page_that_another_state_broke_off_is_done_anew_and_nobody_wrote_late() -> None:
    async def scenario() -> None:
        scene = Scene(Rows(contacts=3))
        judge_again, refusals = scene.loop.judge_again, iter([False])

        async def replaced_once(contacts: Sequence[Key], answers: Sequence[Key]) -> bool:
            return next(refusals, True) and await judge_again(contacts, answers)

        scene.loop.judge_again = replaced_once  # type: ignore[method-assign]
        await scene.step()
        assert (scene.loop.steps, scene.loop.reloads) == ([], 0)
        await scene.step()
        assert (scene.loop.steps, scene.loop.reloads) == ([(3, 0)], 0)

    run(scenario)


def test_the_first_generation_has_nothing_older() -> None:
    async def scenario() -> None:
        scene = Scene(Rows(contacts=5), generation=0)
        await scene.step()
        assert (scene.rows.asked, scene.loop.steps) == (0, [])

    run(scenario)


def test_it_looks_again_after_a_while_at_once_for_another_state_and_not_in_between() -> None:
    async def scenario() -> None:
        scene = Scene(Rows())
        await scene.step()
        asked = scene.rows.asked
        await scene.step()
        assert scene.rows.asked == asked > 0
        scene.now += SWEEP_S
        await scene.step()
        assert scene.rows.asked == 2 * asked
        scene.loop.loads += 1
        await scene.step()
        assert scene.rows.asked == 3 * asked

    run(scenario)


def test_it_ends_when_the_organisation_is_no_longer_ours() -> None:
    async def scenario() -> None:
        scene = Scene(Rows(contacts=3 * AT_ONCE))
        scene.loop.gone_after = 1
        await scene.step()
        assert (scene.loop.steps, scene.loop.checks) == ([(AT_ONCE, 0)], [])

    run(scenario)


def test_every_organisation_has_its_turn_and_erasure_goes_on_beside() -> None:
    async def scenario() -> None:
        scene = Scene(Rows(), generation=0)
        await scene.step()
        assert (scene.loop.checks, scene.rows.erasures) == ([], 1)
        for _ in range(3):
            scene.now += CHECK_S
            await scene.step()
        assert scene.loop.checks == [NAME] * 3
        assert scene.rows.erasures == 4
        scene.now += ERASE_S / 2
        await scene.step()
        assert scene.rows.erasures == 4
        scene.loop.names = ["zuid", NAME, "noord"]
        for _ in range(6):
            scene.now += CHECK_S
            await scene.step()
        assert scene.loop.checks[3:] == ["noord", "zuid", NAME] * 2

    run(scenario)


def test_months_are_counted_some_time_after_the_start_and_again_when_the_store_says() -> None:
    async def scenario() -> None:
        scene = Scene(Rows(), generation=0)
        await scene.step()
        assert scene.rows.aggregated == []
        scene.now += AGGREGATE_AFTER_S
        for _ in range(2):
            await scene.step()
            assert scene.rows.aggregated == [NAME]
        scene.now += 3 * 3_600
        await scene.step()
        assert scene.rows.aggregated == [NAME, NAME]

    run(scenario)


# ── the check itself, in the worker's loop ──────────────────────────────────────────────────────────────────────────


class Watching(MemoryStore):
    """SQL that finds nothing, and perhaps another writer."""

    def __init__(self, others: bool) -> None:
        super().__init__()
        self.others = others

    def written_by_others(self, organisation: str, writer: int, since: float) -> bool:
        return self.others


@pytest.mark.parametrize(("others", "mismatches"), [(False, 1), (True, 0)])
def test_sums_that_differ_from_the_rows_are_noticed_and_computed_anew(others: bool, mismatches: int) -> None:
    async def scenario() -> None:
        fixture = Fixture(store=Watching(others))
        fixture.worker.assigned(ALL)
        await fixture.worker.take(fixture.taken(0))  # the store forgets it: its sums stay empty
        held = fixture.worker._state
        await fixture.worker.check(NAME)
        assert fixture.health.mismatches == mismatches
        assert fixture.worker._state is None
        await fixture.worker.tick()
        assert isinstance(fixture.worker._state, Assignment)
        assert fixture.worker._state is not held
        await fixture.worker.check(NAME)
        assert fixture.health.mismatches == mismatches

    run(scenario)


def test_many_organisations_leave_time_for_checks_and_erasure() -> None:
    """Each is due for a sweep once a minute, and there are more of them than seconds in it."""

    async def scenario() -> None:
        scene = Scene(Rows())
        names = {f"o{number}": scene.loop.entry for number in range(90)}
        scene.loop.organisations = lambda: names  # type: ignore[method-assign]
        for _ in range(600):
            await scene.step()
            scene.now += 1
        assert scene.rows.erasures >= 100
        assert set(scene.loop.checks) == set(names)

    run(scenario)
