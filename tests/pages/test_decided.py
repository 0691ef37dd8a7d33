"""What the page of a run tells once somebody has decided about its plan: in order, and true."""

import re

import pytest
import sqlalchemy as sa

from sync_core import runs
from sync_core.audit import trail
from sync_core.foundation import db
from sync_core.operations import syncs
from sync_core.runs import Run
from sync_core.runs.filters import Filter
from tests.pages.test_run import shown
from tests.pages.test_tabs import LABELS, row
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit

COUNTS = "1 location: 1 created, 0 updated."
PLANNED = "1 location: 1 to create, 0 to update."


@pytest.fixture
def preview(desk: Desk) -> Run:
    return thought_about(desk.preview("locations", locations=[LABELS, row("L1")]))


@pytest.fixture
def undo(desk: Desk) -> Run:
    done = desk.sync("locations", locations=[LABELS, row("L1")])
    return thought_about(desk.work(syncs.undo(desk.organization, done.id, ANA, "test")))


def thought_about(run: Run) -> Run:
    """Let a plan have waited for five minutes."""
    earlier = "update {} set {} where {} = :run"
    with db.everywhere() as connection:
        for table, columns, name in (
            ("attempts", ("started_at", "ended_at"), "run_id"),
            ("runs", ("queued_at", "started_at"), "id"),
        ):
            moved = ", ".join(f"{one} = {one} - interval '5 min'" for one in columns)
            connection.execute(sa.text(earlier.format(table, moved, name)), {"run": run.id})
    return run


def decline(desk: Desk, run: Run) -> Run:
    syncs.cancel(desk.organization, run.id, ANA)
    with db.everywhere() as connection:
        return runs.get(connection, run.organization_id, run.id)


def confirm(desk: Desk, run: Run) -> Run:
    return desk.work(syncs.confirm(desk.organization, run.id, ANA, "test"))


def log(visit: Visit, run: Run) -> list[str]:
    """Return the sentences of the log, without their times, which follow each other."""
    *_, code = visit("runs", id=run.id).get("code")
    lines = [line.split("  ", 1) for line in code.proto.code_text.splitlines()]
    times = [at for at, _ in lines]
    assert times == sorted(times)
    return [text for _, text in lines]


def test_the_log_of_a_declined_plan_ends_with_the_decision(
    visit: Visit, desk: Desk, preview: Run
) -> None:
    told = log(visit, decline(desk, preview))
    assert told[-3:] == [
        f"The plan is ready. {PLANNED}",
        "Waiting for a decision",
        "Declined. Nothing was changed.",
    ]


def test_the_log_of_a_confirmed_plan_tells_both_parts_and_the_end(
    visit: Visit, desk: Desk, preview: Run
) -> None:
    told = log(visit, confirm(desk, preview))
    waited = told.index("Waiting for a decision")
    assert told[waited + 1] == "The plan was confirmed: checking whether it still holds"
    assert told[-2:] == [f"Planned again. {PLANNED}", f"Processed {COUNTS}"]


def test_the_log_of_an_undo_tells_of_an_undo(visit: Visit, desk: Desk, undo: Run) -> None:
    compares = f"Comparing what run {undo.undoes} changed with what is there"
    planned = [
        compares,
        f"The plan is ready. Undo of run {undo.undoes}: 1 to undo.",
        "Waiting for a decision",
    ]
    assert log(visit, undo) == planned
    assert undo.message == f"Waiting for a decision. Undo of run {undo.undoes}: 1 to undo."
    assert log(visit, confirm(desk, undo)) == [
        *planned,
        "The plan was confirmed: checking whether it still holds",
        compares,
        f"Planned again. Undo of run {undo.undoes}: 1 to undo.",
        f"Undo of run {undo.undoes}: 1 undone.",
    ]


def test_the_log_of_a_declined_undo_ends_with_the_decision(
    visit: Visit, desk: Desk, undo: Run
) -> None:
    assert log(visit, decline(desk, undo))[-1] == "Declined. Nothing was changed."


@pytest.mark.parametrize("decide", [decline, confirm])
@pytest.mark.parametrize("kind", ["preview", "undo"])
def test_work_is_told_without_the_time_that_somebody_thought(
    visit: Visit, desk: Desk, request: pytest.FixtureRequest, kind: str, decide: object
) -> None:
    run = decide(desk, request.getfixturevalue(kind))  # type: ignore[operator] # one of the two
    assert run.seconds is not None
    assert 0 < run.seconds < 60
    with db.everywhere() as connection:
        entries = trail.read(connection, Filter(organizations=(desk.organization.id,)), 20)
    (entry,) = (one for one in entries if (one.entry, one.id) == ("run", run.id))
    assert entry.seconds == run.seconds
    told = shown(visit("runs", id=run.id))
    assert re.search(r"[Ww]aited 5 min( \d s)? for a decision", told)
    assert "for a worker" not in told
