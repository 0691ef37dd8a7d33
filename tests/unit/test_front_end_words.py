"""The table of what our states and phases are called by other front ends leaves none out."""

from itertools import pairwise
from typing import get_args

import pytest

from sync_core.api.front_ends import words
from sync_core.api.front_ends.sheet_sync import together
from sync_core.api.front_ends.words import (
    MILESTONES,
    PHASES,
    STATES,
    DashboardState,
    Milestone,
    PanelState,
    Phase,
    PortalState,
    SheetState,
    Words,
)
from sync_core.catalogue.resources import CATALOGUE
from sync_core.engine.narration import is_worth_a_line
from sync_core.foundation.vocabulary import RunStatus

STEPS = CATALOGUE["patients"].steps


def test_every_state_of_ours_has_a_word_of_theirs() -> None:
    assert set(STATES) == set(RunStatus)


def test_every_phase_of_any_resource_has_a_word_of_theirs_and_no_other_has() -> None:
    phases = {band.name for resource in CATALOGUE.values() for band in resource.steps.bands}
    assert set(PHASES) == phases, (
        "give each new phase its words in sync_core/api/front_ends/words.py"
    )


@pytest.mark.parametrize(
    ("field", "theirs", "without_a_run"),
    [
        ("portal", PortalState, {words.NO_PORTAL_RUN}),
        ("dashboard", DashboardState, {words.NO_DASHBOARD_RUN}),
        ("sheet", SheetState, set[str]()),
        ("panel", PanelState, set[str]()),
    ],
)
def test_every_state_of_theirs_is_some_state_or_phase_of_ours(
    field: str, theirs: object, without_a_run: set[str]
) -> None:
    assert field in Words._fields
    of_states = {getattr(one, field) for one in STATES.values()}
    of_phases = {getattr(one, field) for one in PHASES.values() if field in Phase._fields}
    assert of_states | of_phases | without_a_run == set(get_args(theirs))


def test_every_milestone_has_its_part_of_the_bar() -> None:
    assert list(MILESTONES) == list(get_args(Milestone))
    assert {phase.milestone for phase in PHASES.values()} == set(MILESTONES)
    parts = list(MILESTONES.values())
    assert (parts[0][0], parts[-1][1]) == (0, 100)
    assert all(before[1] == after[0] for before, after in pairwise(parts))


def test_milestones_weigh_the_same_run_in_their_own_way() -> None:
    at = {done: words.by_milestones(STEPS, done) for done in range(101)}
    assert {done: at[done] for done in (0, 37, 75, 87, 100)} == {
        0: 0,
        37: 5,
        75: 30,
        87: 50,
        100: 100,
    }
    assert list(at.values()) == sorted(at.values())


@pytest.mark.parametrize("resource", CATALOGUE.values(), ids=lambda resource: resource.name)
def test_the_bar_of_milestones_ends_full_for_every_resource(resource: object) -> None:
    steps = resource.steps  # type: ignore[attr-defined] # ids need a plain object
    assert words.by_milestones(steps, 100) == 100
    assert words.by_milestones(steps, 0) in {0, 5}


def test_what_their_states_mean_is_told_in_ours() -> None:
    assert words.meaning("portal").startswith("running: queued, running, interrupted; completed: ")
    assert "analyzing: running (processing), running (analyzing)" in words.meaning("dashboard")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["idle"], "idle"),
        (["idle", "idle"], "idle"),
        (["idle", "saving"], "downloading"),
        (["idle", "complete"], "downloading"),
        (["processing", "saving"], "processing"),
        (["saving", "error"], "saving"),
        (["complete", "error"], "error"),
        (["complete", "complete"], "complete"),
    ],
)
def test_several_syncs_are_together_where_the_last_of_them_is(
    states: list[SheetState], expected: SheetState
) -> None:
    assert together(states) == expected


@pytest.mark.parametrize(
    ("total", "page", "lines"),
    [(49, 1, 0), (120, 1, 2), (120, 100, 1), (500, 25, 10), (648, 1, 10), (20_000, 100, 10)],
)
def test_the_log_tells_of_each_50_patients_or_each_10_percent(
    total: int, page: int, lines: int
) -> None:
    places = [*range(0, total, page), total]
    told = [done for before, done in pairwise(places) if is_worth_a_line(before, done, total)]
    assert len(told) == lines
    assert all(after - before >= 50 or page > 50 for before, after in pairwise(told))


def test_a_log_of_an_unknown_number_of_patients_stays_short() -> None:
    told = [n for n in range(1, 100_001) if is_worth_a_line(n - 1, n, None)]
    assert told[:10] == list(range(50, 501, 50))
    assert told[10:] == [*range(1000, 5001, 500), *range(10_000, 50_001, 5000), 100_000]
