"""Schedules from the shell: when resources are synced by themselves."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from sync_core.cli import report, run_json
from sync_core.cli.common import (
    as_person,
    json_option,
    of_organization,
    organization,
    prepared,
    who,
)
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Trigger
from sync_core.operations import schedules as operations
from sync_core.organizations import Organization, schedules
from sync_core.organizations.schedules import Schedule


@click.group()
def schedule() -> None:
    """Say when resources are synced by themselves."""


@schedule.command("set")
@click.argument("resource")
@click.argument("words", nargs=-1, required=True)
@of_organization
@as_person
@json_option
@prepared
def schedule_set(
    resource: str, words: tuple[str, ...], org: str, email: str | None, *, as_json: bool
) -> None:
    """Sync RESOURCE by itself, at WORDS: "every weekday at 06:30", or a cron expression."""
    of = organization(org)
    kept = operations.put(of, resource, who(email, of), " ".join(words))
    _tell(of, [kept], as_json=as_json)


@schedule.command("list")
@of_organization
@json_option
@prepared
def schedule_list(org: str, *, as_json: bool) -> None:
    """List the schedules of an organization, with their next times."""
    of = organization(org)
    with db.within(of.id) as connection:
        found = list(schedules.of(connection, of.id).values())
    _tell(of, found, as_json=as_json)


@schedule.command("pause")
@click.argument("resource")
@of_organization
@as_person
@json_option
@prepared
def schedule_pause(resource: str, org: str, email: str | None, *, as_json: bool) -> None:
    """Let the schedule of RESOURCE rest until somebody resumes it."""
    of = organization(org)
    _tell(of, [operations.pause(of, resource, who(email, of))], as_json=as_json)


@schedule.command("resume")
@click.argument("resource")
@of_organization
@as_person
@json_option
@prepared
def schedule_resume(resource: str, org: str, email: str | None, *, as_json: bool) -> None:
    """Resume the schedule of RESOURCE with its next time."""
    of = organization(org)
    _tell(of, [operations.resume(of, resource, who(email, of))], as_json=as_json)


@schedule.command("run")
@click.argument("resource")
@of_organization
@as_person
@json_option
@prepared
def schedule_run(resource: str, org: str, email: str | None, *, as_json: bool) -> None:
    """Start the scheduled sync of RESOURCE now; its next times stay as they are."""
    of = organization(org)
    run = operations.run_now(of, resource, who(email, of), Trigger.SHELL)
    told = f"{report.begun(run)}."
    click.echo(json.dumps(run_json.of_run(of, run)) if as_json else told)


@schedule.command("remove")
@click.argument("resource")
@of_organization
@as_person
@prepared
def schedule_remove(resource: str, org: str, email: str | None) -> None:
    """Sync RESOURCE by itself no more."""
    of = organization(org)
    operations.remove(of, resource, who(email, of))
    click.echo(f"{resource} is not synced automatically any more.")


def _tell(of: Organization, found: list[Schedule], *, as_json: bool) -> None:
    now = datetime.now(UTC)
    if as_json:
        click.echo(json.dumps({"schedules": [_as_json(of, one, now) for one in found]}))
        return
    for one in found:
        times = [f"{at.astimezone(one.zone):%a %d %b %H:%M}" for at in one.following(now)]
        rest = f"paused by {one.paused_by}, {one.pause_reason}" if one.paused_at else None
        told = rest or f"next {', '.join(times)}"
        click.echo(f"{one.resource}\t{one.words}\t{one.time_zone}\t{told}")


def _as_json(of: Organization, one: Schedule, now: datetime) -> Mapping[str, Any]:
    return {
        "organization": of.slug,
        "resource": one.resource,
        "cron": one.cron,
        "words": one.words,
        "time_zone": one.time_zone,
        "next": [at.isoformat() for at in one.following(now)],
        "set_by": one.set_by,
        "paused_at": one.paused_at and one.paused_at.isoformat(),
        "paused_by": one.paused_by,
        "pause_reason": one.pause_reason,
    }
