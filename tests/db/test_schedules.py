"""Syncs that start by themselves: each tick once, and what stands in its way."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sync_core import organizations, runs
from sync_core.audit import hash_chain
from sync_core.execution import scheduler
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import PauseReason, Role, RunStatus
from sync_core.operations import administration, schedules, syncs
from sync_core.organizations import Organization, retentions
from sync_core.organizations import schedules as kept
from sync_core.organizations.people import Person
from sync_core.organizations.schedules import Tick
from sync_core.runs import Run
from tests.support.desk import ANA, Desk
from tests.support.locations import BROKEN, HEADER, LOCATIONS, row

MONDAY = datetime(2030, 3, 4, 0, 0, tzinfo=UTC)  # no schedule of another test has ticked then
HALF_PAST_SIX = MONDAY + timedelta(hours=6, minutes=30)
SARAH = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def no_schedule_of_another_test(database: psycopg.Connection) -> None:
    database.execute("truncate sync_schedules, retentions")


@pytest.fixture
def ready(desk: Desk) -> Desk:
    desk.write("locations", LOCATIONS)
    desk.set_source("locations")
    schedules.put(desk.organization, "locations", ANA, "every weekday at 06:30", MONDAY)
    return desk


def ticks(organization: Organization) -> Sequence[Tick]:
    with db.everywhere() as connection:
        return kept.ticks(connection, organization.id, "locations")


def again(run: Run) -> Run:
    with db.everywhere() as connection:
        return runs.get(connection, run.organization_id, run.id)


def actions(database: psycopg.Connection, organization: Organization) -> list[tuple[str, str]]:
    query = "select kind, name from actions where organization_id = %s order by id"
    return [(kind, name) for kind, name in database.execute(query, [organization.id])]


def test_a_sync_starts_at_its_time_once_and_says_so(
    ready: Desk, database: psycopg.Connection
) -> None:
    assert scheduler.fire(HALF_PAST_SIX - timedelta(seconds=1)) == []
    (run,) = scheduler.fire(HALF_PAST_SIX)
    assert scheduler.fire(HALF_PAST_SIX + timedelta(seconds=1)) == []
    assert ticks(ready.organization) == [Tick(HALF_PAST_SIX, run.id, None)]
    assert ready.work(run).status == RunStatus.COMPLETED
    done = again(run)
    assert (done.trigger, done.origin, done.requested_by) == ("schedule", "schedule", "Schedule")
    assert (done.scheduled_for, done.late) == (HALF_PAST_SIX, False)
    assert actions(database, ready.organization) == [
        ("set a schedule", "Ana Ruiz"),
        ("started", "Schedule"),
    ]
    with db.everywhere() as connection:
        assert kept.get(connection, ready.organization.id, "locations").next_at == (
            HALF_PAST_SIX + DAY
        )
        assert hash_chain.verify(connection, ready.organization).broken is None


def test_ticks_that_were_missed_become_one_run_that_is_late(ready: Desk) -> None:
    back = HALF_PAST_SIX + 3 * DAY + timedelta(hours=2)
    (run,) = scheduler.fire(back)
    assert ticks(ready.organization) == [
        Tick(HALF_PAST_SIX + 3 * DAY, run.id, None, late=True, missed=3)
    ]
    assert again(run).late
    assert scheduler.fire(back) == []


def test_one_tick_that_comes_late_is_late(ready: Desk) -> None:
    (run,) = scheduler.fire(HALF_PAST_SIX + timedelta(minutes=10))
    assert [(tick.late, tick.missed) for tick in ticks(ready.organization)] == [(True, 0)]
    assert again(run).late


def test_a_tick_is_skipped_while_a_run_is_active_or_a_plan_waits(ready: Desk) -> None:
    active = ready.start("locations")
    assert scheduler.fire(HALF_PAST_SIX) == []
    ready.work(active)
    planned = ready.preview("locations")
    assert planned.status == RunStatus.WAITING
    assert scheduler.fire(HALF_PAST_SIX + DAY) == []
    syncs.cancel(ready.organization, planned.id, ANA)
    (run,) = scheduler.fire(HALF_PAST_SIX + 2 * DAY)
    told = [(tick.run_id, tick.skipped) for tick in ticks(ready.organization)]
    assert told == [(run.id, None), (None, "plan_waits"), (None, "already_running")]


def test_without_a_source_a_tick_is_skipped(organization: Organization) -> None:
    schedules.put(organization, "locations", ANA, "hourly", MONDAY)
    assert scheduler.fire(MONDAY + timedelta(hours=1)) == []
    assert [tick.skipped for tick in ticks(organization)] == ["no_source"]


def test_loops_that_look_at_once_start_one_run(ready: Desk) -> None:
    schedules.put(ready.organization, "locations", ANA, "every minute", MONDAY)
    for minute in range(1, 6):
        now = MONDAY + timedelta(minutes=minute)
        with ThreadPoolExecutor(4) as loops:
            started = [run for fired in loops.map(scheduler.fire, [now] * 4) for run in fired]
        assert len(started) == 1
        ready.work(started[0])
    assert len(ticks(ready.organization)) == 5


def test_a_schedule_that_is_set_anew_at_its_tick_does_not_tick_twice(ready: Desk) -> None:
    (run,) = scheduler.fire(HALF_PAST_SIX)
    ready.work(run)
    just_before = HALF_PAST_SIX - timedelta(seconds=1)  # by a clock that is slow
    schedules.put(ready.organization, "locations", ANA, "every day at 06:30", just_before)
    assert scheduler.fire(HALF_PAST_SIX) == []
    assert [tick.run_id for tick in ticks(ready.organization)] == [run.id]
    assert len(scheduler.fire(HALF_PAST_SIX + DAY)) == 1


def test_a_pause_lasts_until_somebody_resumes_it_and_nothing_is_made_up_for(
    ready: Desk, database: psycopg.Connection
) -> None:
    of = ready.organization
    for _ in range(2):
        paused = schedules.pause(of, "locations", SARAH, MONDAY)
    assert (paused.paused_by, paused.pause_reason) == ("Sarah Lim", PauseReason.BY_HAND)
    assert paused.following(MONDAY) == ()
    assert scheduler.fire(HALF_PAST_SIX + DAY) == []
    now = HALF_PAST_SIX + DAY + timedelta(hours=1)
    for _ in range(2):
        resumed = schedules.resume(of, "locations", SARAH, now)
    assert (resumed.paused_at, resumed.next_at) == (None, HALF_PAST_SIX + 2 * DAY)
    assert scheduler.fire(now) == []
    assert ticks(of) == []
    assert [kind for kind, _ in actions(database, of)] == [
        "set a schedule",
        "paused a schedule",
        "resumed a schedule",
    ]


def test_run_now_starts_it_by_hand(ready: Desk) -> None:
    run = schedules.run_now(ready.organization, "locations", SARAH, "page")
    assert (run.origin, run.requested_by, run.scheduled_for) == ("page", "Sarah Lim", None)
    with pytest.raises(SyncError, match="has no schedule"):
        schedules.run_now(ready.organization, "admins", SARAH, "page")


def fail(desk: Desk) -> Run:
    """Sync a sheet whose key column is gone."""
    run = desk.sync("locations", locations=[HEADER[1:]])
    assert (run.status, run.error_code) == (RunStatus.FAILED, "missing_column")
    return run


def test_what_fails_three_times_for_a_person_to_mend_is_paused_once(
    ready: Desk, database: psycopg.Connection
) -> None:
    of = ready.organization
    database.execute("update sync_schedules set since = now()")  # as runs are queued by its clock
    fail(ready), fail(ready)
    ready.sync("locations", locations=LOCATIONS)
    fail(ready), fail(ready)
    assert scheduler.pause_what_fails(MONDAY) == []
    last = fail(ready)
    (hopeless,) = scheduler.pause_what_fails(MONDAY)
    assert hopeless.resource == "locations"
    assert scheduler.pause_what_fails(MONDAY) == []
    with db.everywhere() as connection:
        paused = kept.get(connection, of.id, "locations")
    assert (paused.pause_reason, paused.paused_by) == (PauseReason.FAILURES, "Schedule")
    told = database.execute(
        "select run_id, resource, detail from actions where kind = 'paused a schedule'"
        " and organization_id = %s",
        [of.id],
    ).fetchall()
    assert told == [(last.id, "locations", {"why": "failures", "error": "missing_column"})]
    (reason,) = database.execute(
        "delete from news where run_id is null and organization_id = %s returning reason", [of.id]
    ).fetchone() or ("",)
    assert reason.startswith("It failed 3 times in a row, and a person must fix the cause: Column")
    schedules.resume(of, "locations", SARAH)
    assert scheduler.pause_what_fails(MONDAY) == []  # it counts anew


def test_what_may_go_away_by_itself_is_not_paused(
    ready: Desk, database: psycopg.Connection
) -> None:
    database.execute("update sync_schedules set since = now()")
    for _ in range(3):
        run = fail(ready)
        database.execute("set session_replication_role = replica")
        database.execute("update runs set error_code = 'source_silent' where id = %s", [run.id])
        database.execute("set session_replication_role = default")
    assert scheduler.pause_what_fails(MONDAY) == []


def test_rows_that_fail_pause_nothing(ready: Desk, database: psycopg.Connection) -> None:
    database.execute("update sync_schedules set since = now()")
    for _ in range(3):
        assert ready.sync("locations", locations=BROKEN).status == RunStatus.PARTIAL
    assert scheduler.pause_what_fails(MONDAY) == []


def test_an_undo_may_pause_the_schedule_that_would_do_it_again(
    ready: Desk, database: psycopg.Connection
) -> None:
    done = ready.sync("locations", locations=[*LOCATIONS, row("L3")])
    undo = syncs.undo(ready.organization, done.id, SARAH, "page", pause_schedule=True)
    assert (undo.origin, undo.trigger) == ("undo", "page")
    with db.everywhere() as connection:
        paused = kept.get(connection, ready.organization.id, "locations")
    assert (paused.pause_reason, paused.paused_by) == (PauseReason.UNDO, "Sarah Lim")
    assert actions(database, ready.organization)[-2:] == [
        ("asked to undo", "Sarah Lim"),
        ("paused a schedule", "Sarah Lim"),
    ]


def test_an_undo_that_is_refused_pauses_nothing(ready: Desk) -> None:
    done = ready.sync("locations", locations=LOCATIONS)
    ready.start("locations")
    with pytest.raises(SyncError, match="started this"):
        syncs.undo(ready.organization, done.id, SARAH, "page", pause_schedule=True)
    with db.everywhere() as connection:
        assert kept.get(connection, ready.organization.id, "locations").paused_at is None


def test_a_schedule_counts_in_the_time_zone_of_its_organization(
    organization: Organization,
) -> None:
    with db.everywhere() as connection:
        far = organizations.add(
            connection, f"{organization.slug}-au", "Harbor", time_zone="Australia/Sydney"
        )
    made = schedules.put(far, "locations", ANA, "30 6 * * *", datetime(2026, 4, 4, tzinfo=UTC))
    assert made.following(datetime(2026, 4, 4, tzinfo=UTC), 2) == [
        datetime(2026, 4, 4, 20, 30, tzinfo=UTC),  # the first after summer time, of 5 April
        datetime(2026, 4, 5, 20, 30, tzinfo=UTC),
    ]


# Old values


def test_old_values_are_dropped_each_night_with_an_action(
    desk: Desk, database: psycopg.Connection
) -> None:
    of = desk.organization
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth")])
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Hobart")])
    administration.set_retention(of, ANA, 30)
    now = datetime.now(UTC)
    with db.everywhere() as connection:
        first = retentions.of(connection, of.id)
    assert first is not None
    assert now < first.next_at <= now + DAY
    assert first.next_at.hour == 3
    assert scheduler.drop_old(first.next_at - timedelta(seconds=1)) == 0
    later = now + timedelta(days=31)
    assert scheduler.drop_old(later) == 1
    assert scheduler.drop_old(later) == 0
    left = "select count(*) from outcomes where run_id = %s and changes is not null"
    assert database.execute(left, [run.id]).fetchone() == (0,)
    assert actions(database, of)[-1] == ("dropped old values", "Schedule")
    administration.set_retention(of, ANA, None)
    assert scheduler.drop_old(later + DAY) == 0
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, of).broken is None


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_nobody_keeps_values_for_no_day(organization: Organization, days: int) -> None:
    with pytest.raises(SyncError, match="from 1 to 36,500"):
        administration.set_retention(organization, ANA, days)
