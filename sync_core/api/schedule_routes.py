"""Schedules over HTTP: when resources are synced by themselves, and what became of it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from sync_core.api.asked import AskedSchedule, Whose
from sync_core.api.callers import By
from sync_core.api.run_routes import Key, accepted, once
from sync_core.api.sample import RESOURCE
from sync_core.api.shapes import RunShape, Schedules, ScheduleShape, TickShape
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Trigger
from sync_core.operations import schedules as operations
from sync_core.organizations import Organization, people, schedules
from sync_core.organizations.schedules import Schedule

routes = APIRouter(tags=["schedules"], prefix="/v1/schedules")
Name = Annotated[str, Path(max_length=100, description="name of the resource", examples=[RESOURCE])]


@routes.get("")
def list_schedules(by: By, organization: Whose = None) -> Schedules:
    """List the schedules of an organization."""
    of, person = by.seat(organization)
    people.require(person, "read")
    with db.within(of.id) as connection:
        found = schedules.of(connection, of.id)
    return Schedules(schedules=[_shape(of, one) for one in found.values()])


@routes.get("/{resource}")
def show_schedule(by: By, resource: Name, organization: Whose = None) -> ScheduleShape:
    """Tell when a resource is synced automatically, and what became of the last times."""
    of, person = by.seat(organization)
    people.require(person, "read")
    with db.within(of.id) as connection:
        found = schedules.get(connection, of.id, resource)
    return _shape(of, found)


@routes.put("/{resource}")
def set_schedule(
    by: By, resource: Name, asked: AskedSchedule, organization: Whose = None
) -> ScheduleShape:
    """Sync a resource by itself; the schedule before is replaced, and a pause ends."""
    of, person = by.seat(organization)
    return _shape(of, operations.put(of, resource, person, asked.schedule))


@routes.delete("/{resource}", status_code=204)
def remove_schedule(by: By, resource: Name, organization: Whose = None) -> Response:
    """Sync a resource by itself no more."""
    of, person = by.seat(organization)
    operations.remove(of, resource, person)
    return Response(status_code=204)


@routes.post("/{resource}/pause")
def pause_schedule(by: By, resource: Name, organization: Whose = None) -> ScheduleShape:
    """Let a schedule rest until somebody resumes it; to ask again changes nothing more."""
    of, person = by.seat(organization)
    return _shape(of, operations.pause(of, resource, person))


@routes.post("/{resource}/resume")
def resume_schedule(by: By, resource: Name, organization: Whose = None) -> ScheduleShape:
    """Resume a schedule with its next time; to ask again changes nothing more."""
    of, person = by.seat(organization)
    return _shape(of, operations.resume(of, resource, person))


@routes.post("/{resource}/run", status_code=202)
def run_now(
    by: By, resource: Name, answer: Response, organization: Whose = None, key: Key = None
) -> RunShape:
    """Start the sync of a schedule now; its next times stay as they are."""
    of, person = by.seat(organization)
    name = resources.by_name(resource).name
    request = once(key, "run now", of.slug, name)
    run = operations.run_now(of, name, person, Trigger.API, request)
    return accepted((of, person), run, answer)


def _shape(of: Organization, schedule: Schedule) -> ScheduleShape:
    with db.within(of.id) as connection:
        found = schedules.ticks(connection, of.id, schedule.resource)
    facts = {n: getattr(schedule, n) for n in ScheduleShape.model_fields if hasattr(schedule, n)}
    return ScheduleShape(
        **facts,
        organization=of.slug,
        next=schedule.following(datetime.now(UTC)),
        ticks=[TickShape(**vars(one)) for one in found],
    )
