"""A confirmed plan is applied exactly as it was shown, or not at all."""

import os
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from io import BytesIO

import psycopg
import pytest
import sqlalchemy as sa

from sync_core import runs
from sync_core.audit import hash_chain
from sync_core.catalogue import resources
from sync_core.engine import confirming, importer
from sync_core.execution import attempt, maintenance
from sync_core.execution.heartbeat import StoppedError
from sync_core.foundation import db, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal, Role
from sync_core.operations import syncs, uploads
from sync_core.operations.uploads import GivenFile
from sync_core.organizations import Organization, policies
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.runs import Run, lease, recovery
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

BEFORE = [HEADER, row("L1", City="Perth"), row("L2"), row("L3", City="Hobart"), row("L6")]
AFTER = [
    HEADER,
    row("L1", City="Broome"),
    row("L2"),
    row("L4", Email="nobody"),
    row("L5", "Mill Clinic", City="Derby"),
    row("L6"),
]
RESULT = "Processed 5 locations: 1 created, 1 updated, 2 unchanged, 1 failed, 1 removed."


@pytest.fixture
def preview(desk: Desk) -> Run:
    """Preview a sheet in which each kind of change is."""
    delete_removed(desk.organization)
    desk.sync("locations", locations=BEFORE)
    return desk.preview("locations", locations=AFTER)


def delete_removed(organization: Organization) -> None:
    with db.everywhere() as connection:
        policies.put(connection, organization, "locations", Policy(removal=Removal.DELETE))


def confirm(desk: Desk, run: Run) -> Run:
    return desk.work(syncs.confirm(desk.organization, run.id, ANA, "test"))


def refused(desk: Desk, run: Run) -> str:
    """Confirm a plan that does not hold, and return what is told."""
    return was_refused(desk, syncs.confirm(desk.organization, run.id, ANA, "test"))


def was_refused(desk: Desk, run: Run) -> str:
    """Let a worker find that a confirmed plan does not hold, and return what is told."""
    ended = desk.work(run)
    assert (ended.status, ended.error_code) == ("expired", "plan_outdated")
    assert ended.advice == "Preview, or undo, again, and confirm the new plan."
    return ended.message


def table(database: psycopg.Connection, organization: Organization, name: str) -> list[object]:
    """Return the records of an organization, but for when they were written."""
    columns = [field.column for field in resources.ENTITIES[name].fields]
    asked = f"select {', '.join(columns)}, _removed_at is null from {name}"
    query = f"{asked} where organization_id = %s order by 1"
    return list(database.execute(query, [organization.id]))


def told(database: psycopg.Connection, run: Run) -> list[object]:
    """Return what is kept of a run that says what it did."""
    outcomes = (
        "select entity, kind, row_number, key, name, rule, row_hash, changes, issues, raw"
        " from outcomes where run_id = %s order by kind, key"
    )
    counts = "select entity, read, created, updated, removed, failed from tallies where run_id = %s"
    codes = "select entity, code, rows from issue_tallies where run_id = %s"
    return [list(database.execute(query, [run.id])) for query in (outcomes, counts, codes)]


def test_a_confirmed_plan_does_what_a_sync_would_have_done(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    confirmed = confirm(desk, preview)
    assert (confirmed.id, confirmed.status, confirmed.message) == (preview.id, "partial", RESULT)
    there, what = table(database, desk.organization, "locations"), told(database, confirmed)
    desk.sync("locations", locations=BEFORE)
    direct = desk.sync("locations", locations=AFTER)
    assert direct.message == RESULT
    assert table(database, desk.organization, "locations") == there
    assert told(database, direct) == what
    assert direct.log_message == confirmed.log_message
    assert direct.notes == confirmed.notes


def test_a_first_load_is_confirmed(desk: Desk, database: psycopg.Connection) -> None:
    run = desk.preview("locations", locations=[HEADER, *(row(f"L{n}") for n in range(30))])
    assert confirm(desk, run).message == "Processed 30 locations: 30 created, 0 updated."
    assert len(table(database, desk.organization, "locations")) == 30


def test_nothing_is_read_again_of_a_file_that_is_as_it_was(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    confirm(desk, preview)
    query = "select log::text from attempts where run_id = %s order by attempt desc limit 1"
    ((log,),) = database.execute(query, [preview.id])
    assert "Locations: 5 rows had been read before" in log


def test_a_confirmed_preview_is_a_sync_that_brings_its_tables_in_step(
    preview: Run, desk: Desk
) -> None:
    ended = confirm(desk, preview)
    with db.everywhere() as connection:
        fresh = runs.fresh(connection, desk.organization.id)["locations"]
        assert hash_chain.verify(connection, desk.organization).broken is None
    assert (fresh.id, ended.kind) == (preview.id, "sync")


def test_the_hours_of_a_decision_are_no_part_of_the_run_s_time(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    earlier = "queued_at = queued_at - interval '20 hours', active_since = active_since"
    database.execute(
        f"update runs set {earlier} - interval '20 hours', started_at = started_at"
        " - interval '20 hours' where id = %s",
        [preview.id],
    )
    queued = syncs.confirm(desk.organization, preview.id, ANA, "test")
    with db.everywhere() as connection:
        assert preview.id not in recovery.close_overdue(connection)
    ended = desk.work(queued)
    assert ended.status == "partial"
    assert (ended.seconds or 0) < 3600


def test_who_previewed_and_who_confirmed_are_in_the_audit(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    sarah = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations")
    syncs.confirm(desk.organization, preview.id, sarah, "page")
    query = "select kind, name, detail from actions where run_id = %s order by id"
    assert list(database.execute(query, [preview.id])) == [
        ("previewed", "Ana Ruiz", {}),
        ("confirmed", "Sarah Lim", {"trigger": "page"}),
    ]


# Plans that do not hold any more


def test_a_source_that_has_changed_refuses(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    there = table(database, desk.organization, "locations")
    desk.write("locations", [*AFTER, row("L7")])
    assert refused(desk, preview) == (
        "The plan is out of date: the source of Locations was changed meanwhile."
        " Nothing was changed."
    )
    assert table(database, desk.organization, "locations") == there
    assert told(database, preview) == [[], [], []]


def test_a_cell_that_has_changed_in_an_unchanged_row_refuses(preview: Run, desk: Desk) -> None:
    desk.write("locations", [row("L2", City="Cairns") if r == row("L2") else r for r in AFTER])
    assert "the source of Locations was changed" in refused(desk, preview)


def test_a_file_that_was_saved_again_as_it_was_does_not_refuse(preview: Run, desk: Desk) -> None:
    desk.write("locations", AFTER)
    os.utime(desk.folder / "locations.csv", (1, 1))
    assert confirm(desk, preview).message == RESULT


def test_a_file_that_is_gone_refuses(preview: Run, desk: Desk) -> None:
    (desk.folder / "locations.csv").unlink()
    assert confirm(desk, preview).error_code == "no_file_of_table"


def test_planned_records_that_have_changed_refuse_and_are_counted(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    change = (
        "update locations set city = 'Albany' where organization_id = %s"
        " and location_code in ('L1', 'L3')"
    )
    database.execute(change, [desk.organization.id])
    there = table(database, desk.organization, "locations")
    assert refused(desk, preview) == (
        "The plan is out of date: the table Locations was changed meanwhile, and 2 rows of"
        " it would end otherwise. Nothing was changed."
    )
    assert table(database, desk.organization, "locations") == there


REMOVE = (
    "update locations set _removed_at = now() where organization_id = %s and location_code = 'L2'"
)
ADD = (
    "insert into locations (organization_id, location_code, name, active)"
    " values (%s, '{}', 'x', true)"
)


@pytest.mark.parametrize(
    "change",
    [
        "delete from locations where organization_id = %s and location_code = 'L1'",
        "delete from locations where organization_id = %s and location_code = 'L3'",
        "update locations set city = 'Broome' where organization_id = %s and location_code = 'L1'",
        REMOVE,
        ADD.format("L5"),
        ADD.format("L9"),
    ],
)
def test_a_target_that_has_changed_refuses(
    preview: Run, desk: Desk, database: psycopg.Connection, change: str
) -> None:
    database.execute(change, [desk.organization.id])
    assert "the table Locations was changed meanwhile, and 1 row" in refused(desk, preview)


def test_a_first_load_into_a_table_that_was_filled_meanwhile_refuses(desk: Desk) -> None:
    run = desk.preview("locations", locations=BEFORE)
    with desk.confirming(run):
        desk.sync("locations")
    assert "and 4 rows of it would end otherwise" in was_refused(desk, run)


def test_what_changed_elsewhere_does_not_refuse(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    untouched = "update locations set city = city where organization_id = %s"
    database.execute(untouched, [desk.organization.id])
    assert confirm(desk, preview).status == "partial"


def test_a_sync_in_between_refuses(preview: Run, desk: Desk) -> None:
    with desk.confirming(preview):
        newer = desk.sync("locations")
    told = f"run {newer.id} has changed the table Locations since, and 3 rows of it would end"
    assert told in was_refused(desk, preview)


def take_back(desk: Desk, run: Run) -> Run:
    return confirm(desk, desk.work(syncs.undo(desk.organization, run.id, ANA, "test")))


def test_what_was_taken_back_since_is_not_done_again(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    there = table(database, desk.organization, "locations")
    with desk.confirming(preview):
        same = desk.sync("locations")
        undo = take_back(desk, same)
    assert table(database, desk.organization, "locations") == there
    assert was_refused(desk, preview) == (
        f"The plan is out of date: run {undo.id} has taken run {same.id} back since it was made."
        " Nothing was changed."
    )
    assert table(database, desk.organization, "locations") == there


def test_what_was_taken_back_since_is_not_done_again_by_a_second_attempt(
    preview: Run, desk: Desk
) -> None:
    with desk.confirming(preview):
        take_back(desk, desk.sync("locations"))
    interrupted(preview)
    assert desk.work(preview).error_code == "plan_outdated"


@pytest.mark.usefixtures("preview")
def test_what_was_taken_back_before_the_plan_does_not_refuse(desk: Desk) -> None:
    take_back(desk, desk.sync("locations"))
    assert confirm(desk, desk.preview("locations", locations=AFTER)).message == RESULT


def test_another_removal_policy_refuses(preview: Run, desk: Desk) -> None:
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "locations", Policy(removal=Removal.KEEP))
    assert "the table Locations was changed" in refused(desk, preview)


@pytest.mark.parametrize(
    "harm",
    [
        "truncate staging.locations_rows_{run}",
        "drop table staging.locations_rows_{run} cascade",
        "delete from staging.locations_rows_{run} where row_number = 2",
    ],
)
def test_rows_that_were_lost_refuse(
    preview: Run, desk: Desk, database: psycopg.Connection, harm: str
) -> None:
    database.execute(harm.format(run=preview.id))
    assert refused(desk, preview) == (
        "The plan is out of date: what was read of Locations is not there any more."
        " Nothing was changed."
    )


def test_rows_that_somebody_has_changed_in_staging_refuse(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    harm = f"update staging.locations_rows_{preview.id} set phone = '1' where row_number = 3"
    database.execute(harm)
    assert "was changed meanwhile" in refused(desk, preview)


def test_an_uploaded_file_is_confirmed_without_the_source(
    desk: Desk, database: psycopg.Connection
) -> None:
    content = "\n".join(",".join(map(str, line)) for line in BEFORE).encode()
    given = [GivenFile("mine.csv", BytesIO(content))]
    run = desk.work(uploads.start(desk.organization, "locations", ANA, "test", given, preview=True))
    assert run.status == "waiting"
    maintenance.tick()
    assert confirm(desk, run).message == "Processed 4 locations: 4 created, 0 updated."
    query = "select log::text from attempts where run_id = %s order by attempt desc limit 1"
    assert "4 rows had been read before" in str(database.execute(query, [run.id]).fetchone())


# Who is first


def outcome_of(ask: Callable[[], Run]) -> str:
    try:
        return ask().status
    except SyncError as error:
        return error.code


def at_once(*asked: Callable[[], Run]) -> list[str]:
    """Ask for all of it at the same time."""
    answers, gate = [""] * len(asked), threading.Barrier(len(asked))

    def do(place: int) -> None:
        gate.wait()
        answers[place] = outcome_of(asked[place])

    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_plan_is_confirmed_once(preview: Run, desk: Desk) -> None:
    ask = partial(syncs.confirm, desk.organization, preview.id, ANA, "test")
    assert sorted(at_once(*[ask] * 4)) == [*["nothing_to_decide"] * 3, "queued"]
    desk.work(preview)
    assert outcome_of(ask) == "nothing_to_decide"


def test_either_a_confirm_or_a_decline_counts(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    confirm = partial(syncs.confirm, desk.organization, preview.id, ANA, "test")
    decline = partial(syncs.cancel, desk.organization, preview.id, ANA)
    at_once(confirm, decline)
    ended = desk.work(preview)
    assert (ended.status, ended.message[:9]) in {
        ("partial", "Processed"),
        ("cancelled", "Declined."),
        ("cancelled", "Cancelled"),
    }
    assert bool(told(database, preview)[0]) == (ended.status == "partial")


def test_a_confirmed_plan_is_cancelled_before_a_worker_comes(preview: Run, desk: Desk) -> None:
    syncs.confirm(desk.organization, preview.id, ANA, "test")
    ended = syncs.cancel(desk.organization, preview.id, ANA)
    assert (ended.status, ended.message) == ("cancelled", "Cancelled. Nothing was changed.")
    assert attempt.work(preview.id) == "not ours"


def test_no_plan_is_confirmed_while_another_run_of_the_resource_is_on_its_way(
    preview: Run, desk: Desk
) -> None:
    other = desk.start("locations")
    with pytest.raises(SyncError) as refusal:
        syncs.confirm(desk.organization, preview.id, ANA, "test")
    assert (refusal.value.code, refusal.value.facts["run"]) == ("already_running", other.id)
    syncs.cancel(desk.organization, other.id, ANA)
    assert confirm(desk, preview).status == "partial"


def test_a_confirm_and_a_start_at_once_let_one_of_them_in(preview: Run, desk: Desk) -> None:
    confirm = partial(syncs.confirm, desk.organization, preview.id, ANA, "test")
    start = partial(syncs.start, desk.organization, "locations", ANA, "test")
    assert sorted(at_once(confirm, start)) == ["already_running", "queued"]


def test_a_plan_that_is_too_old_is_not_confirmed_though_no_maintenance_is_alive(
    preview: Run, desk: Desk
) -> None:
    made = tables.attempts.c
    with db.everywhere() as connection:
        connection.execute(
            sa.update(tables.attempts)
            .where(made.run_id == preview.id)
            .values(ended_at=made.ended_at - timedelta(hours=recovery.DECISION_HOURS))
        )
    with pytest.raises(SyncError, match="does not wait for a decision: it is expired"):
        syncs.confirm(desk.organization, preview.id, ANA, "test")
    with db.everywhere() as connection:
        assert runs.get(connection, desk.organization.id, preview.id).status == "expired"


def test_who_may_not_sync_does_not_confirm(preview: Run, desk: Desk) -> None:
    manager = Person("Michael Tan", "michael.tan@example.org", Role.MANAGER)
    with pytest.raises(SyncError, match="As a manager you may not"):
        syncs.confirm(desk.organization, preview.id, manager, "test")


# Attempts that do not come through


def interrupted(run: Run) -> None:
    """Let a worker claim a run, and die."""
    with db.everywhere() as connection:
        held = lease.claim(connection, run.id, "a worker")
        assert held
        lease.interrupt(connection, held, "killed", crashed=True)
        recovery.resume(connection)


def test_a_confirm_whose_worker_died_goes_on(preview: Run, desk: Desk) -> None:
    run = syncs.confirm(desk.organization, preview.id, ANA, "test")
    interrupted(run)
    ended = desk.work(run)
    assert (ended.attempt, ended.message) == (3, RESULT)


@pytest.mark.parametrize("harm", ["none", "saved again"])
@pytest.mark.parametrize("step", ["put_aside", "require_same", "save"])
def test_a_confirm_that_was_stopped_in_its_midst_goes_on(
    preview: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, harm: str
) -> None:
    where: Mapping[str, object] = {"save": importer}
    if harm == "saved again":
        desk.write("locations", AFTER)
    run = syncs.confirm(desk.organization, preview.id, ANA, "test")
    with monkeypatch.context() as patch:

        def stop(*_: object) -> None:
            raise StoppedError

        patch.setattr(where.get(step, confirming), step, stop)
        assert attempt.work(run.id) == "interrupted"
    assert desk.work(run).message == RESULT
