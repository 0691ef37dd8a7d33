"""What happens by itself at its time: syncs by their schedules, and what is too old is dropped.

However many loops look after it, each tick comes once: who locks the schedule notes the tick,
starts the run and moves the schedule on in one transaction; then the run is pushed.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from sync_core import organizations, runs
from sync_core.audit import retention
from sync_core.catalogue import resources
from sync_core.execution import queue
from sync_core.foundation import db
from sync_core.foundation.errors import CATALOGUE, OWNER, SyncError
from sync_core.foundation.vocabulary import PauseReason, Trigger
from sync_core.notifications import news
from sync_core.organizations import actions, retentions, schedules, source_settings, timetable
from sync_core.organizations.actions import DroppedValues, PausedSchedule, Started
from sync_core.organizations.schedules import NOBODY, Schedule, Tick
from sync_core.runs import Run, lease, outages
from sync_core.runs.lease import Queued

LATE = timedelta(minutes=2)  # after which a tick's run is marked late
FAILURES = 3  # in a row, after which a schedule is paused
TICKS_KEPT = timedelta(days=90)
FOR_A_PERSON = tuple(  # codes of what does not go away by itself
    code
    for code, entry in CATALOGUE.items()
    if not entry.retry and not entry.outage and entry.who in {OWNER, "administrator", "analyst"}
)

log = logging.getLogger("syncdesk.scheduler")


def fire(now: datetime) -> list[Run]:
    """Start the syncs whose time has come; returns them."""
    return list(_fire(now))


def _fire(now: datetime) -> Iterator[Run]:
    there_are_more = True
    while there_are_more:
        with db.everywhere() as connection:
            schedule = schedules.take_due(connection, now)
            run = _tick(connection, schedule, now) if schedule else None
            waiting = [Queued(run.id, lease.limit(connection, run.id))] if run else []
        there_are_more = schedule is not None
        queue.push(*waiting)
        if run:
            yield run


def _tick(connection: Connection, schedule: Schedule, now: datetime) -> Run | None:
    """Note the tick that has come last, and start its run unless something is in its way.

    Ticks that were missed before it are one with it.
    """
    at, missed = timetable.due(schedule.cron, schedule.zone, schedule.next_at, now)
    late = missed > 0 or now - at > LATE
    schedules.go_on(connection, schedule, max(now, at))
    if schedules.is_noted(connection, schedule, at):
        return None
    try:
        with connection.begin_nested():
            run = _start(connection, schedule, at, late=late)
            schedules.note(connection, schedule, Tick(at, run.id, None, late, missed))
    except SyncError as error:
        log.warning("skipped a sync of %s: %s", schedule.resource, error.sentence)
        schedules.note(connection, schedule, Tick(at, None, error.code, late, missed))
        return None
    return run


def _start(connection: Connection, schedule: Schedule, at: datetime, *, late: bool) -> Run:
    organization = organizations.by_id(connection, schedule.organization_id)
    resource = resources.by_name(schedule.resource)
    runs.refuse_while_plan_waits(connection, organization.id, resource.name)
    source_settings.read(connection, organization, resource)
    run = runs.start(connection, organization.id, resource.name, NOBODY, trigger=Trigger.SCHEDULE)
    detail = Started(tick=at, late=late or None)
    actions.record(
        connection, organization.id, NOBODY, detail, resource=resource.name, run_id=run.id
    )
    return run


def pause_what_fails(now: datetime) -> list[Schedule]:
    """Pause the schedules whose last syncs all failed for a reason that only a person can mend.

    Returns those that were paused; each leaves an action, which names the last run.
    """
    with db.everywhere() as connection:
        found = outages.of_schedules(connection, FOR_A_PERSON, FAILURES)
        return [one for one, run in found if _pause(connection, one, run, now)]


def _pause(connection: Connection, schedule: Schedule, run: Run, now: datetime) -> bool:
    whose, resource, why = schedule.organization_id, schedule.resource, PauseReason.FAILURES
    if not schedules.pause(connection, whose, resource, NOBODY, why, now):
        return False
    detail = PausedSchedule(why, run.error_code)
    actions.record(connection, whose, NOBODY, detail, resource=resource, run_id=run.id)
    told = f"It failed {FAILURES} times in a row, and a person must fix the cause: {run.message}"
    news.paused(connection, whose, resource, told)
    log.warning("paused the schedule of %s: run %s failed, too", resource, run.id)
    return True


def drop_old(now: datetime) -> int:
    """Drop the old values of the organizations whose time has come; returns of how many."""
    done = 0
    while _drop_next(now):
        done += 1
    with db.everywhere() as connection:
        schedules.drop_old(connection, now - TICKS_KEPT)
    return done


def _drop_next(now: datetime) -> bool:
    with db.everywhere() as connection:
        due = retentions.take_due(connection, now)
        if due is None:
            return False
        before = now - timedelta(days=due.days)
        organization = organizations.by_id(connection, due.organization_id)
        dropped = retention.drop_values(connection, organization, before)
        actions.record(connection, organization.id, NOBODY, DroppedValues(before, dropped))
        retentions.go_on(connection, organization, now)
    return True
