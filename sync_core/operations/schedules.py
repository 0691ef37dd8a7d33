"""What people ask of schedules: set one, pause it, let it go on, take it away."""

from datetime import UTC, datetime

from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import PauseReason
from sync_core.operations import syncs
from sync_core.organizations import Organization, actions, people, schedule_words, schedules
from sync_core.organizations.actions import (
    PausedSchedule,
    RemovedSchedule,
    ResumedSchedule,
    SetSchedule,
)
from sync_core.organizations.people import Person
from sync_core.organizations.schedules import Schedule
from sync_core.runs import Run
from sync_core.runs.once import Once


def put(
    organization: Organization,
    resource: str,
    by: Person,
    text: str,
    now: datetime | None = None,
) -> Schedule:
    """Sync a resource by itself, as the text says: in words, or as a cron expression.

    Raises SyncError: no_permission, unknown_resource, bad_schedule.
    """
    by = people.require(by, "administer")
    name = resources.by_name(resource).name
    cron = schedule_words.parse(text)
    with db.within(organization.id) as connection:
        kept = schedules.put(connection, organization, name, cron, by, now or datetime.now(UTC))
        detail = SetSchedule(cron, f"{kept.words} ({organization.time_zone})")
        actions.record(connection, organization.id, by, detail, resource=name)
    return kept


def remove(organization: Organization, resource: str, by: Person) -> None:
    """Sync a resource by itself no more. Raises SyncError: no_permission, no_schedule."""
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        kept = schedules.get(connection, organization.id, resource)
        schedules.remove(connection, organization.id, kept.resource)
        actions.record(connection, organization.id, by, RemovedSchedule(), resource=kept.resource)


def pause(
    organization: Organization, resource: str, by: Person, now: datetime | None = None
) -> Schedule:
    """Let the schedule of a resource rest until somebody resumes it; idempotent.

    Raises SyncError: no_permission, no_schedule.
    """
    by = people.require(by, "sync")
    why = PauseReason.BY_HAND
    with db.within(organization.id) as connection:
        kept = schedules.get(connection, organization.id, resource)
        at = now or datetime.now(UTC)
        if schedules.pause(connection, organization.id, kept.resource, by, why, at):
            detail = PausedSchedule(why)
            actions.record(connection, organization.id, by, detail, resource=kept.resource)
        return schedules.get(connection, organization.id, resource)


def resume(
    organization: Organization, resource: str, by: Person, now: datetime | None = None
) -> Schedule:
    """Let a schedule go on that was paused; ticks meanwhile are not made up for. Idempotent.

    Raises SyncError: no_permission, no_schedule.
    """
    by = people.require(by, "sync")
    with db.within(organization.id) as connection:
        kept = schedules.get(connection, organization.id, resource)
        if schedules.resume(connection, kept, now or datetime.now(UTC)):
            detail = ResumedSchedule()
            actions.record(connection, organization.id, by, detail, resource=kept.resource)
        return schedules.get(connection, organization.id, resource)


def run_now(
    organization: Organization,
    resource: str,
    by: Person,
    trigger: str,
    request: Once | None = None,
) -> Run:
    """Start the sync of a schedule now, also of a paused one; its next times stay as they are.

    Raises SyncError: no_schedule, and as `syncs.start` does.
    """
    by = people.require(by, "sync")
    with db.within(organization.id) as connection:
        kept = schedules.get(connection, organization.id, resource)
    return syncs.start(organization, kept.resource, by, trigger, request=request)
