"""What changes runs from the shell: start, confirm, try again, undo, cancel."""

import subprocess
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from sync_core import runs
from sync_core.cli import local_stack, plans, syncing_all
from sync_core.cli.common import (
    as_person,
    json_option,
    of_organization,
    prepared,
    who,
)
from sync_core.cli.common import organization as organization_called
from sync_core.cli.report import report
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus, Trigger
from sync_core.operations import syncs, uploads
from sync_core.operations.uploads import GivenFile
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.runs import Run

TRIES = 3  # workers of our own that may fail

plan_as_csv = click.option(
    "--csv", "path", type=click.Path(path_type=Path), metavar="FILE", help="Of the plan, as CSV."
)


def _files_of_entities(
    context: click.Context, parameter: click.Parameter, words: tuple[str, ...]
) -> list[GivenFile]:
    given = []
    for text in words:
        entity, named, path = text.partition("=")
        if not named:
            raise click.BadParameter("write it as ENTITY=FILE", context, parameter)
        file = click.File("rb").convert(path, parameter, context)
        given.append(GivenFile(Path(path).name, cast("BinaryIO", file), entity))
    return given


@click.command()
@click.argument("resource", required=False)
@click.option(
    "--all", "everything", is_flag=True, help="Every resource, each after those it refers to."
)
@click.option("--wait", is_flag=True, help="Wait for the end; runs a worker if none is alive.")
@click.option(
    "--file",
    "files",
    type=click.File("rb"),
    multiple=True,
    help="Read this CSV or workbook instead of the source, this once.",
)
@click.option(
    "--entity",
    "entities",
    metavar="ENTITY=FILE",
    callback=_files_of_entities,
    multiple=True,
    help="Read this entity from this file, this once.",
)
@click.option("--locale", help="How numbers and dates of the files are written, such as de_DE.")
@click.option(
    "--preview", is_flag=True, help="Stop after the plan, and show it: nothing is changed."
)
@plan_as_csv
@of_organization
@as_person
@json_option
@prepared
def sync(
    resource: str | None,
    files: tuple[BinaryIO, ...],
    entities: list[GivenFile],
    locale: str | None,
    org: str,
    email: str | None,
    *,
    wait: bool,
    as_json: bool,
    **planned: Any,  # noqa: ANN401 - the options of a preview
) -> int:
    """Start a sync of RESOURCE, of the source that is set or of the files that are given."""
    everything = planned.pop("everything")
    if everything and (resource or files or entities or locale or any(planned.values())):
        raise click.UsageError("--all takes no RESOURCE, no file and no --preview")
    if resource is None and not everything:
        raise click.UsageError("name a RESOURCE, or sync --all")
    organization = organization_called(org)
    if resource is None:
        return syncing_all.run(organization, who(email, organization), wait=wait, as_json=as_json)
    person, trigger = who(email, organization), Trigger.SHELL
    given = [*(GivenFile(Path(file.name).name, file) for file in files), *entities]
    if locale and not given:
        raise click.UsageError("--locale is of the files that --file or --entity name")
    preview, path = planned["preview"], planned["path"]
    _refuse_mistakes_of_plans(person, path, preview=preview)
    if given:
        run = uploads.start(organization, resource, person, trigger, given, locale, preview=preview)
    else:
        begin = syncs.preview if preview else syncs.start
        run = begin(organization, resource, person, trigger)
    if wait or preview:
        run = follow(organization, run)
    return report_plan(organization, person, run, path, as_json=as_json)


def report_plan(
    organization: Organization, person: Person, run: Run, path: Path | None, *, as_json: bool
) -> int:
    """Tell how a run is, and with which plan it waits."""
    if path and run.status == RunStatus.WAITING:
        plans.write(organization, person, run, path)
    more = plans.as_json(run, person) if as_json else {}
    return report(organization, run, as_json=as_json, **more)


def _refuse_mistakes_of_plans(person: Person, path: Path | None, *, preview: bool) -> None:
    if path and not preview:
        raise click.UsageError("--csv is of the plan of a --preview")
    if path:
        people.require(person, "export")


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--wait", is_flag=True, help="Wait for the end; runs a worker if none is alive.")
@of_organization
@as_person
@json_option
@prepared
def confirm(run_id: int, org: str, email: str | None, *, wait: bool, as_json: bool) -> int:
    """Apply exactly the plan with which RUN waits; this approves what a guard holds back."""
    organization = organization_called(org)
    run = syncs.confirm(organization, run_id, who(email, organization), Trigger.SHELL)
    if wait:
        run = follow(organization, run)
    return report(organization, run, as_json=as_json)


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--wait", is_flag=True, help="Wait for the end; runs a worker if none is alive.")
@of_organization
@as_person
@json_option
@prepared
def retry(run_id: int, org: str, email: str | None, *, wait: bool, as_json: bool) -> int:
    """Read the source again, and sync only the rows that had failed in RUN."""
    organization = organization_called(org)
    run = syncs.retry(organization, run_id, who(email, organization), Trigger.SHELL)
    if wait:
        run = follow(organization, run)
    return report(organization, run, as_json=as_json)


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--wait", is_flag=True, help="Wait for the plan; runs a worker if none is alive.")
@click.option("--pause-schedule", is_flag=True, help="Also pause the resource's schedule.")
@plan_as_csv
@of_organization
@as_person
@json_option
@prepared
def undo(
    run_id: int,
    org: str,
    email: str | None,
    *,
    wait: bool,
    pause_schedule: bool,
    as_json: bool,
    path: Path | None,
) -> int:
    """Plan to take RUN back; nothing is changed before the plan is confirmed."""
    organization = organization_called(org)
    person = who(email, organization)
    if path:
        people.require(person, "export")
    run = syncs.undo(organization, run_id, person, Trigger.SHELL, pause_schedule=pause_schedule)
    if wait or path:
        run = follow(organization, run)
    return report_plan(organization, person, run, path, as_json=as_json)


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@of_organization
@as_person
@json_option
@prepared
def cancel(run_id: int, org: str, email: str | None, *, as_json: bool) -> int:
    """Cancel a sync: at once while it waits, else at its worker's next check."""
    organization = organization_called(org)
    run = syncs.cancel(organization, run_id, who(email, organization))
    code = report(organization, run, as_json=as_json)
    return 0 if run.status == RunStatus.CANCELLED else code


def follow(organization: Organization, run: Run) -> Run:
    """Wait for the end of a run; a worker of our own works on it where none is alive."""
    worker: subprocess.Popen[bytes] | None = None
    failures = 0
    while run.active:
        if worker and worker.poll():
            failures += 1
        if failures == TRIES:
            raise SyncError("no_worker", run=run.id)
        if worker is None or worker.poll() is not None:
            worker = (
                None if local_stack.a_worker_is_alive() else local_stack.start_worker("--burst")
            )
        time.sleep(0.2)
        with db.within(organization.id) as connection:
            run = runs.get(connection, organization.id, run.id)
    if worker:
        worker.wait()
    return run
