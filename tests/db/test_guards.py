"""A suspicious sync waits for a person, whoever started it; nothing is applied before."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import psycopg
import pytest

from sync_core import runs
from sync_core.audit import hash_chain
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal, Role
from sync_core.operations import administration, syncs, uploads
from sync_core.operations.uploads import GivenFile
from sync_core.organizations import actions, policies
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Guards, Policy, Threshold
from sync_core.runs import Run, figures, plans
from sync_core.runs.plans import Plans, Tripped
from tests.support.desk import ANA, Desk, Rows
from tests.support.locations import HEADER, row

SARAH = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations")
TOM = Person("Tom Baker", "tom.baker@example.org", Role.ANALYST, "Operations")
LOCATIONS = resources.CATALOGUE["locations"]


def sheet(*numbers: int, **cells: str) -> Rows:
    return [HEADER, *(row(f"L{n}", f"Clinic {n}", **cells) for n in numbers)]


def given(rows: Rows) -> GivenFile:
    lines = [",".join(map(str, line)) for line in rows]
    return GivenFile("mine.csv", BytesIO("\n".join(lines).encode()))


def decide(desk: Desk, policy: Policy) -> None:
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "locations", policy)


def kept(run: Run) -> Plans:
    with db.everywhere() as connection:
        found = plans.of_run(connection, run.id)
    assert found
    return found


def held(run: Run) -> list[str]:
    """Return the guards that hold a run back."""
    assert run.status == "waiting"
    return [one.guard for one in kept(run).tripped]


def stored(database: psycopg.Connection, desk: Desk, where: str = "_removed_at is null") -> int:
    query = f"select count(*) from locations where organization_id = %s and {where}"
    ((count,),) = database.execute(query, [desk.organization.id])
    return int(count)


def asked_by(desk: Desk, person: Person) -> Run:
    desk.set_source("locations")
    return desk.work(syncs.start(desk.organization, "locations", person, "test"))


def approve(desk: Desk, run: Run, person: Person = ANA) -> Run:
    return desk.work(syncs.confirm(desk.organization, run.id, person, "test"))


def refusal(desk: Desk, run: Run, person: Person) -> str:
    with pytest.raises(SyncError) as refused:
        syncs.confirm(desk.organization, run.id, person, "test")
    with db.everywhere() as connection:
        assert runs.get(connection, desk.organization.id, run.id).status == "waiting"
    return refused.value.code


# What happened once


def test_a_source_that_shrank_from_420_rows_to_2_deletes_nothing(
    desk: Desk, database: psycopg.Connection
) -> None:
    decide(desk, Policy(removal=Removal.DELETE))
    desk.sync("locations", locations=sheet(*range(420)))
    run = desk.sync("locations", locations=sheet(0, 1))
    assert held(run) == ["removals", "fewer_rows"]
    assert run.message == (
        "Waiting for approval: 418 of 420 locations would be deleted."
        " Only 2 rows of locations were read; the last sync read 420."
        " 2 locations: 0 to create, 0 to update, 2 unchanged, 418 to remove."
    )
    assert stored(database, desk) == 420
    assert kept(run).tripped[0] == Tripped(
        guard="removals",
        entity="locations",
        sentence="418 of 420 locations would be deleted",
        rows=418,
        of=420,
        more_than_rows=10,
        more_than_percent=10,
        usual=0,
    )
    assert approve(desk, run).message.endswith("2 unchanged, 418 removed.")
    assert stored(database, desk) == 2


def test_a_source_that_shrank_under_keep_is_not_green(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.sync("locations", locations=sheet(*range(420)))
    run = desk.sync("locations", locations=sheet(0, 1))
    assert held(run) == ["removals", "fewer_rows"]
    assert run.message.startswith(
        "Waiting for approval: 418 of 420 locations are not in the source any more. Only"
    )
    assert approve(desk, run).status == "completed"
    assert stored(database, desk) == 420
    assert desk.sync("locations").status == "completed"  # it was approved that they are gone


def test_a_foreign_file_adds_no_thousands_of_clinics_unasked(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.sync("locations", locations=sheet(*range(420)))
    lines = [",".join(map(str, line)) for line in sheet(*range(1_000, 4_997))]
    given = [GivenFile("foreign.csv", BytesIO("\n".join(lines).encode()))]
    run = desk.work(uploads.start(desk.organization, "locations", SARAH, "test", given))
    assert held(run) == ["removals", "creations", "new_keys"]
    assert "3,997 locations would be created beside the 420 that are known" in run.message
    assert stored(database, desk) == 420
    assert refusal(desk, run, SARAH) == "own_approval"
    ended = syncs.cancel(desk.organization, run.id, SARAH)
    assert (ended.status, stored(database, desk)) == ("cancelled", 420)


# Each guard, through the engine


@pytest.mark.parametrize(
    ("first", "at", "above", "guard"),
    [
        (sheet(*range(50)), sheet(*range(40)), sheet(*range(39)), "removals"),
        (sheet(*range(150)), sheet(*range(250)), sheet(*range(251)), "creations"),
        (
            sheet(*range(50)),
            [*sheet(*range(40)), *sheet(*range(40, 50), Email="nobody")[1:]],
            [*sheet(*range(39)), *sheet(*range(39, 50), Email="nobody")[1:]],
            "failures",
        ),
        (
            sheet(*range(150)),
            [*sheet(*range(50)), *sheet(*range(50, 150), City="Perth")[1:]],
            [*sheet(*range(49)), *sheet(*range(49, 150), City="Perth")[1:]],
            "updates",
        ),
        (
            [*sheet(*range(21), City="Perth"), *sheet(*range(21, 24))[1:]],
            [*sheet(*range(11), City="Perth"), *sheet(*range(11, 24))[1:]],
            [*sheet(*range(10), City="Perth"), *sheet(*range(10, 24))[1:]],
            "blank_column",
        ),
    ],
)
def test_a_guard_holds_a_sync_back_above_its_threshold_and_not_at_it(
    desk: Desk, first: Rows, at: Rows, above: Rows, guard: str
) -> None:
    decide(desk, Policy(removal=Removal.DEACTIVATE))
    assert desk.sync("locations", locations=first).status == "completed"
    assert held(desk.sync("locations", locations=above)) == [guard]
    assert desk.sync("locations", locations=at).status in {"completed", "partial"}


def test_an_empty_source_waits(desk: Desk, database: psycopg.Connection) -> None:
    decide(desk, Policy(removal=Removal.DEACTIVATE))
    desk.sync("locations", locations=sheet(1, 2, 3))
    run = desk.sync("locations", locations=[HEADER])
    assert held(run) == ["empty_source"]
    assert stored(database, desk) == 3
    assert desk.counts(approve(desk, run), "locations") == {"removed": 3}
    assert stored(database, desk) == 0


def test_another_source_waits_once(desk: Desk) -> None:
    desk.sync("locations", locations=sheet(1, 2))
    desk.folder /= "elsewhere"
    desk.folder.mkdir()
    run = desk.sync("locations", locations=sheet(1, 2))
    assert held(run) == ["other_source"]
    assert run.message.startswith(
        "Waiting for approval: locations would be read from folder elsewhere,"
        " and the last sync read the organization's folder."
    )
    assert approve(desk, run).status == "completed"
    assert desk.sync("locations").status == "completed"


def test_a_file_that_is_given_once_is_no_other_source(desk: Desk) -> None:
    desk.sync("locations", locations=sheet(1, 2))
    file = given(sheet(1, 2))
    once = desk.work(uploads.start(desk.organization, "locations", ANA, "test", [file]))
    assert once.status == "completed"
    assert desk.sync("locations").status == "completed"


def test_a_preview_that_is_confirmed_after_a_later_sync_is_the_last(desk: Desk) -> None:
    desk.sync("locations", locations=sheet(1, 2))
    preview = desk.preview("locations", locations=sheet(1, 2, 3))
    desk.work(uploads.start(desk.organization, "locations", ANA, "test", [given(sheet(1, 2))]))
    assert approve(desk, preview).status == "completed"
    following = desk.sync("locations")
    with db.everywhere() as connection:
        assert figures.read_before(connection, following.id, "locations") == 3


def test_the_first_load_of_an_empty_table_is_guarded_by_failures_alone(
    desk: Desk, database: psycopg.Connection
) -> None:
    bad = sheet(*range(900, 1_200), Email="nobody")[1:]
    run = desk.sync("locations", locations=[*sheet(*range(900)), *bad])
    assert held(run) == ["failures"]
    assert stored(database, desk) == 0
    desk.sync("locations", locations=sheet(*range(900)))
    assert stored(database, desk) == 900


def test_a_run_that_waits_keeps_its_figures_and_the_chain_whole(desk: Desk) -> None:
    desk.sync("locations", locations=sheet(*range(60)))
    run = desk.sync("locations", locations=sheet(*range(20)))
    with db.everywhere() as connection:
        found = figures.of_run(connection, run.id)["locations"]
    assert (found.known, found.absent, found.read_before) == (60, 40, 60)
    approve(desk, run)
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, desk.organization).broken is None


# Who asks, and who approves


@pytest.fixture
def suspicious(desk: Desk) -> Run:
    """Let Sarah, an analyst, start a sync that would remove too much."""
    decide(desk, Policy(removal=Removal.DEACTIVATE))
    desk.sync("locations", locations=sheet(*range(60)))
    desk.write("locations", sheet(*range(20)))
    return asked_by(desk, SARAH)


@pytest.mark.parametrize("trigger", ["page", "schedule", "API", "command line"])
def test_whatever_starts_a_sync_it_is_guarded(desk: Desk, trigger: str) -> None:
    desk.sync("locations", locations=sheet(*range(60)))
    desk.write("locations", sheet(*range(20)))
    run = desk.work(syncs.start(desk.organization, "locations", SARAH, trigger))
    assert held(run) == ["removals", "fewer_rows"]


def test_who_asked_for_it_does_not_approve_it(desk: Desk, suspicious: Run) -> None:
    assert refusal(desk, suspicious, SARAH) == "own_approval"
    assert (
        refusal(desk, suspicious, replace(SARAH, email="Sarah.Lim@Example.org")) == "own_approval"
    )
    assert approve(desk, suspicious, TOM).status == "completed"


def test_an_administrator_approves_their_own(desk: Desk) -> None:
    desk.sync("locations", locations=sheet(*range(60)))
    run = desk.sync("locations", locations=sheet(*range(20)))
    assert approve(desk, run, ANA).status == "completed"


def test_where_four_eyes_are_required_nobody_approves_their_own(desk: Desk) -> None:
    administration.set_four_eyes(desk.organization, ANA, required=True)
    desk.sync("locations", locations=sheet(*range(60)))
    run = desk.sync("locations", locations=sheet(*range(20)))
    assert refusal(desk, run, ANA) == "four_eyes"
    assert approve(desk, run, SARAH).status == "completed"


def test_four_eyes_are_not_required_of_a_plan_that_no_guard_holds_back(desk: Desk) -> None:
    administration.set_four_eyes(desk.organization, ANA, required=True)
    run = desk.preview("locations", locations=sheet(1, 2))
    assert approve(desk, run, ANA).status == "completed"


def test_who_may_not_sync_approves_nothing(desk: Desk, suspicious: Run) -> None:
    manager = Person("Michael Tan", "michael.tan@example.org", Role.MANAGER)
    assert refusal(desk, suspicious, manager) == "no_permission"


def test_an_approval_is_in_the_audit_with_its_thresholds(
    desk: Desk, suspicious: Run, database: psycopg.Connection
) -> None:
    approve(desk, suspicious, TOM)
    query = "select kind, name, detail from actions where run_id = %s order by id desc limit 1"
    kind, name, detail = database.execute(query, [suspicious.id]).fetchone() or ("", "", {})
    assert (kind, name) == ("approved", "Tom Baker")
    found = actions.read(kind, detail)
    assert isinstance(found, actions.Approved)
    assert [(g["sentence"], g["more_than_rows"], g["more_than_percent"]) for g in found.guards] == [
        ("40 of 60 locations would be deactivated", 10, 10),
        ("only 20 rows of locations were read; the last sync read 60", 10, 50),
    ]


# What an approval covers


def test_an_approval_covers_exactly_that_plan(
    desk: Desk, suspicious: Run, database: psycopg.Connection
) -> None:
    desk.write("locations", sheet(*range(19)))
    ended = approve(desk, suspicious, TOM)
    assert (ended.status, ended.error_code) == ("expired", "plan_outdated")
    assert stored(database, desk) == 60
    assert held(desk.sync("locations")) == ["removals", "fewer_rows"]  # it asks again


def test_what_was_approved_once_asks_again_where_it_goes_on(desk: Desk, suspicious: Run) -> None:
    approve(desk, suspicious, TOM)
    run = desk.sync("locations", locations=sheet(*range(5)))
    assert held(run) == ["removals", "fewer_rows"]


def test_a_preview_says_which_guards_would_trip_and_its_confirm_is_an_approval(desk: Desk) -> None:
    desk.sync("locations", locations=sheet(*range(60)))
    desk.write("locations", sheet(*range(20)))
    desk.set_source("locations")
    run = desk.work(syncs.preview(desk.organization, "locations", SARAH, "test"))
    assert held(run) == ["removals", "fewer_rows"]
    assert run.message == (
        "Waiting for a decision. 20 locations: 0 to create, 0 to update, 20 unchanged."
        " It needs approval: 40 of 60 locations are not in the source any more."
        " Only 20 rows of locations were read; the last sync read 60."
    )
    assert refusal(desk, run, SARAH) == "own_approval"
    assert approve(desk, run, ANA).status == "completed"


# Thresholds


def test_an_administrator_decides_what_is_suspicious(
    desk: Desk, database: psycopg.Connection
) -> None:
    wanted = Policy(guards=Guards(removals=Threshold(50, 10), fewer_rows=None))
    administration.set_policy(desk.organization, ANA, LOCATIONS, wanted)
    with db.everywhere() as connection:
        assert policies.of(connection, desk.organization.id)["locations"] == wanted
        assert policies.of(connection, desk.organization.id)["admins"].guards == Guards()
    newest = "select detail ->> 'what' from actions order by id desc limit 1"
    (what,) = database.execute(newest).fetchone() or ("",)
    assert what.endswith("guards: removals above 50 rows and 10%, fewer rows off")
    desk.sync("locations", locations=sheet(*range(60)))
    assert desk.sync("locations", locations=sheet(*range(20))).status == "completed"


@pytest.mark.parametrize("threshold", [Threshold(-1, 10), Threshold(1, -1), Threshold(1, 101)])
def test_a_threshold_is_a_number_of_rows_and_a_share(desk: Desk, threshold: Threshold) -> None:
    with pytest.raises(SyncError, match="A guard counts 0 rows or more"):
        administration.set_policy(
            desk.organization, ANA, LOCATIONS, Policy(guards=Guards(updates=threshold))
        )


def test_who_is_no_administrator_decides_nothing(desk: Desk) -> None:
    ask: Callable[[], object]
    for ask in (
        lambda: administration.set_policy(desk.organization, SARAH, LOCATIONS, Policy()),
        lambda: administration.set_four_eyes(desk.organization, SARAH, required=False),
    ):
        with pytest.raises(SyncError, match="As an analyst you may not"):
            ask()
