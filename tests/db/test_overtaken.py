"""Plans that a later run has got ahead of end by themselves: nobody is asked to decide on them."""

import uuid
from io import BytesIO

import pytest

from sync_core import organizations, runs
from sync_core.catalogue.resources import ENTITIES
from sync_core.execution import maintenance
from sync_core.foundation import db
from sync_core.operations import syncs, uploads
from sync_core.operations.uploads import GivenFile
from sync_core.runs import Run, recovery
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

WHOLE = [HEADER, *(row(f"L{n}") for n in range(1, 41))]
MOST_IS_GONE = WHOLE[:4]


@pytest.fixture
def held(desk: Desk) -> Run:
    """Return a sync that a guard holds back, as its file has lost most of its rows."""
    desk.sync("locations", locations=WHOLE)
    return desk.sync("locations", locations=MOST_IS_GONE)


@pytest.fixture
def other(desk: Desk) -> Desk:
    with db.everywhere() as connection:
        made = organizations.add(connection, f"other-{uuid.uuid4().hex[:12]}", "Southwind Care")
    assert made != desk.organization
    return Desk(made)


def waiting(desk: Desk) -> list[int]:
    with db.everywhere() as connection:
        return [run.id for run in recovery.plans_that_wait(connection, desk.organization.id)]


def undo_of(desk: Desk, run: Run) -> Run:
    return desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))


def confirm(desk: Desk, run: Run) -> Run:
    return desk.work(syncs.confirm(desk.organization, run.id, ANA, "test"))


def test_a_plan_ends_with_the_sync_of_the_restored_file_though_that_changes_nothing(
    held: Run, desk: Desk
) -> None:
    assert (held.status, waiting(desk)) == ("waiting", [held.id])
    later = desk.sync("locations", locations=WHOLE)
    assert later.message == "Processed 40 locations: 0 created, 0 updated, 40 unchanged."
    ended = desk.now(held)
    assert (ended.status, ended.error_code) == ("expired", "plan_outdated")
    assert ended.message == (
        f"The plan is out of date: run {later.id} was applied since it was made."
        " Nothing was changed."
    )
    assert waiting(desk) == []


def test_a_plan_ends_with_a_sync_that_changes_records(held: Run, desk: Desk) -> None:
    later = desk.sync("locations", locations=[*WHOLE, row("L41")])
    assert f"run {later.id} was applied" in desk.now(held).message


def test_a_plan_waits_on_while_no_later_sync_was_applied(held: Run, desk: Desk) -> None:
    assert desk.sync("locations", locations=[["Nonsense"]]).status == "failed"
    assert waiting(desk) == [held.id]


def test_the_plan_of_a_given_file_waits_on_beside_a_sync_that_changes_nothing(desk: Desk) -> None:
    desk.sync("locations", locations=WHOLE)
    lines = [",".join(map(str, line)) for line in [HEADER, row("L1", City="Broome"), *WHOLE[2:]]]
    mine = GivenFile("mine.csv", BytesIO("\n".join(lines).encode()))
    asked = (desk.organization, "locations", ANA, "test", [mine], None)
    plan = desk.work(uploads.start(*asked, preview=True))
    desk.sync("locations")
    assert waiting(desk) == [plan.id]
    assert confirm(desk, plan).message == (
        "Processed 40 locations: 0 created, 1 updated, 39 unchanged."
    )


def test_the_plan_of_an_undo_waits_on_until_the_same_was_undone(desk: Desk) -> None:
    desk.sync("locations", locations=WHOLE)
    moved = desk.sync("locations", locations=[HEADER, row("L1", City="Broome"), *WHOLE[2:]])
    first, second = undo_of(desk, moved), undo_of(desk, moved)
    desk.sync("locations")
    assert waiting(desk) == [first.id, second.id]
    confirm(desk, first)
    assert waiting(desk) == []
    assert f"run {first.id} was applied" in desk.now(second).message


def test_a_plan_ends_with_a_newer_one_of_a_changed_source(held: Run, desk: Desk) -> None:
    newer = desk.preview("locations", locations=WHOLE[:3])
    assert waiting(desk) == [newer.id]
    assert desk.now(held).message == (
        f"The plan is out of date: the source was changed since, and run {newer.id} has a newer"
        " plan. Nothing was changed."
    )


def test_a_plan_waits_on_beside_a_newer_one_of_the_same_rows(held: Run, desk: Desk) -> None:
    newer = desk.preview("locations")
    assert waiting(desk) == [held.id, newer.id]


def test_a_plan_on_which_somebody_decides_is_left_and_ended_afterwards(
    held: Run, desk: Desk
) -> None:
    with db.everywhere() as connection:
        runs.to_decide(connection, desk.organization.id, held.id)
        later = desk.sync("locations", locations=WHOLE)
        assert desk.now(held).status == "waiting"
    maintenance.tick()
    assert f"run {later.id} was applied" in desk.now(held).message


def test_the_plan_of_another_resource_or_organization_is_left(
    held: Run, desk: Desk, other: Desk
) -> None:
    labels = [field.label for field in ENTITIES["admins"].fields]
    of_admins = desk.preview("admins", admins=[labels, ["?"] * len(labels)])
    other.sync("locations", locations=WHOLE)
    elsewhere = other.sync("locations", locations=MOST_IS_GONE)
    desk.sync("locations", locations=WHOLE)
    assert (waiting(desk), waiting(other)) == ([of_admins.id], [elsewhere.id])
    assert desk.now(held).status == "expired"
