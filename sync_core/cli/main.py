"""The command line: what the pages do, for the shell of the machine."""

import json
import logging
import subprocess
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from sync_core import runs
from sync_core.audit import exports
from sync_core.catalogue import resources
from sync_core.cli import (
    audit,
    comparing,
    local_stack,
    plans,
    record_history,
    run_json,
    syncing_all,
    tokens,
)
from sync_core.cli.common import EXIT_CODES
from sync_core.cli.common import as_person as _as
from sync_core.cli.common import command as _command
from sync_core.cli.common import json_option as _json
from sync_core.cli.common import of_organization as _org
from sync_core.cli.common import organization as _organization
from sync_core.cli.common import prepared as _prepared
from sync_core.cli.common import who as _who
from sync_core.cli.organization import org, person
from sync_core.cli.schedule import schedule
from sync_core.cli.source import source
from sync_core.demo import organization as demo
from sync_core.execution import maintenance
from sync_core.foundation import db, settings
from sync_core.foundation.counting import count
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus, Trigger
from sync_core.operations import syncs, uploads
from sync_core.operations.uploads import GivenFile
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.records import comparisons
from sync_core.runs import Run

TRIES = 3  # workers of our own that may fail


def main() -> None:
    """Run the command; every refusal is one sentence and an exit code, never a trace."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    cli(prog_name="syncdesk")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Keep Postgres in step with Google Sheets and Cliniko."""


cli.add_command(org)
cli.add_command(person)
cli.add_command(schedule)
cli.add_command(source)
cli.add_command(audit.verify)
cli.add_command(audit.export)
cli.add_command(audit.prove)
cli.add_command(tokens.token)


@cli.command()
@click.option("--port", default=8600, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
@_prepared
def up(port: int, workers: int) -> int:
    """Start everything: servers, workers, pages; stop with Ctrl-C."""
    found = settings.current()
    if found.database_url:
        return local_stack.run(port, click.echo, workers=workers)
    folder = found.data / "demo"
    with db.begin() as connection:
        demo.load(connection, folder)
    cliniko = None if settings.given().reads_cliniko else found.data / settings.MADE_UP_CLINIKO
    return local_stack.run(port, click.echo, cliniko, workers)


_plan_as_csv = click.option(
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


@cli.command()
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
@_plan_as_csv
@_org
@_as
@_json
@_prepared
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
    organization = _organization(org)
    if resource is None:
        return syncing_all.run(organization, _who(email, organization), wait=wait, as_json=as_json)
    person, trigger = _who(email, organization), Trigger.SHELL
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
        run = _follow(organization, run)
    return _report_plan(organization, person, run, path, as_json=as_json)


def _report_plan(
    organization: Organization, person: Person, run: Run, path: Path | None, *, as_json: bool
) -> int:
    """Tell how a run is, and with which plan it waits."""
    if path and run.status == RunStatus.WAITING:
        plans.write(organization, person, run, path)
    more = plans.as_json(run, person) if as_json else {}
    return _report(organization, run, as_json=as_json, **more)


def _refuse_mistakes_of_plans(person: Person, path: Path | None, *, preview: bool) -> None:
    if path and not preview:
        raise click.UsageError("--csv is of the plan of a --preview")
    if path:
        people.require(person, "export")


@cli.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--wait", is_flag=True, help="Wait for the end; runs a worker if none is alive.")
@_org
@_as
@_json
@_prepared
def confirm(run_id: int, org: str, email: str | None, *, wait: bool, as_json: bool) -> int:
    """Apply exactly the plan with which RUN waits; this approves what a guard holds back."""
    organization = _organization(org)
    run = syncs.confirm(organization, run_id, _who(email, organization), Trigger.SHELL)
    if wait:
        run = _follow(organization, run)
    return _report(organization, run, as_json=as_json)


@cli.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--wait", is_flag=True, help="Wait for the end; runs a worker if none is alive.")
@_org
@_as
@_json
@_prepared
def retry(run_id: int, org: str, email: str | None, *, wait: bool, as_json: bool) -> int:
    """Read the source again, and sync only the rows that had failed in RUN."""
    organization = _organization(org)
    run = syncs.retry(organization, run_id, _who(email, organization), Trigger.SHELL)
    if wait:
        run = _follow(organization, run)
    return _report(organization, run, as_json=as_json)


@cli.command()
@click.argument("first_id", metavar="RUN", type=int)
@click.argument("second_id", metavar="RUN", type=int)
@_org
@_as
@_json
@_prepared
def compare(first_id: int, second_id: int, org: str, email: str | None, *, as_json: bool) -> None:
    """Put two runs of a resource beside each other: counts, columns, reasons, failed rows."""
    organization = _organization(org)
    person = _who(email, organization)
    with db.begin() as connection:
        first, second = (
            runs.get(connection, organization.id, one) for one in (first_id, second_id)
        )
        found = comparisons.compare(connection, first, second, person)
    told = json.dumps(comparing.as_json(organization, found)) if as_json else comparing.text(found)
    click.echo(told)


def _follow(organization: Organization, run: Run) -> Run:
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
        with db.begin() as connection:
            run = runs.get(connection, organization.id, run.id)
    if worker:
        worker.wait()
    return run


@cli.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--wait", is_flag=True, help="Wait for the plan; runs a worker if none is alive.")
@click.option("--pause-schedule", is_flag=True, help="Let the resource's schedule rest, too.")
@_plan_as_csv
@_org
@_as
@_json
@_prepared
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
    organization = _organization(org)
    person = _who(email, organization)
    if path:
        people.require(person, "export")
    run = syncs.undo(organization, run_id, person, Trigger.SHELL, pause_schedule=pause_schedule)
    if wait or path:
        run = _follow(organization, run)
    return _report_plan(organization, person, run, path, as_json=as_json)


@cli.command()
@click.argument("run_id", metavar="RUN", type=int)
@_org
@_as
@_json
@_prepared
def cancel(run_id: int, org: str, email: str | None, *, as_json: bool) -> int:
    """Cancel a sync: at once while it waits, else at its worker's next check."""
    organization = _organization(org)
    run = syncs.cancel(organization, run_id, _who(email, organization))
    code = _report(organization, run, as_json=as_json)
    return 0 if run.status == RunStatus.CANCELLED else code


@cli.command()
@click.argument("run_id", metavar="RUN", type=int)
@_org
@_json
@_prepared
def status(run_id: int, org: str, *, as_json: bool) -> int:
    """Tell how a run is, or how it ended."""
    organization = _organization(org)
    with db.begin() as connection:
        run = runs.get(connection, organization.id, run_id)
    return _report(organization, run, as_json=as_json)


def _report(
    organization: Organization,
    run: Run,
    *,
    as_json: bool,
    **more: Any,  # noqa: ANN401 - JSON
) -> int:
    if as_json:
        click.echo(json.dumps({**run_json.of_run(organization, run), **more}))
    else:
        going = "its worker was asked to end it." if run.cancelling else "on its way."
        click.echo(f"Run {run.id}, {run.resource}, {run.status}: {run.message or going}")
        for line in (run.advice, *run.notes):
            if line:
                click.echo(line)
    return EXIT_CODES.get(run.status, 0)


@cli.command()
@click.argument("resource", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option(
    "--record",
    type=(str, str),
    metavar="TABLE KEY",
    help="All that happened to one record; the parts of a key are separated by commas.",
)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="What the record was at the end of this day."
)
@click.option(
    "--csv", "path", type=click.Path(path_type=Path), metavar="FILE", help="Of a record, as CSV."
)
@_org
@_as
@_json
@_prepared
def history(
    resource: str | None,
    limit: int,
    record: tuple[str, str] | None,
    org: str,
    email: str | None,
    *,
    as_json: bool,
    **asked: Any,  # noqa: ANN401 - the options of a record
) -> None:
    """List the latest runs, or all that happened to one record."""
    organization = _organization(org)
    if record:
        if resource:
            raise click.UsageError("name a resource, or a record with --record")
        person = _who(email, organization)
        record_history.show(organization, person, record, **asked, as_json=as_json)
        return
    if any(asked.values()):
        raise click.UsageError("--as-of and --csv are of a record: name it with --record")
    with db.begin() as connection:
        found = runs.history(
            connection, organization.id, resource and resources.by_name(resource).name, limit
        )
    if as_json:
        click.echo(json.dumps({"runs": [run_json.of_run(organization, run) for run in found]}))
        return
    for run in found:
        when = run.queued_at.isoformat(timespec="seconds")
        click.echo(
            f"{run.id}\t{when}\t{run.resource}\t{run.status}\t{run.requested_by}\t{run.message}"
        )


@cli.command("rejects")
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--csv", "path", required=True, type=click.Path(path_type=Path), metavar="FILE")
@_org
@_as
@_prepared
def write_rejects(run_id: int, path: Path, org: str, email: str | None) -> None:
    """Write the failed and skipped rows of a run, with their reasons."""
    organization = _organization(org)
    with db.begin() as connection:
        run = runs.get(connection, organization.id, run_id)
    export = exports.rejects(organization, _who(email, organization), run)
    click.echo(f"Wrote {count(exports.save(export, path).rows, 'row')} to {path}.")


@cli.command()
@_command
def migrate() -> None:
    """Bring the database to the newest version."""
    with db.begin() as connection:
        db.migrate(connection)
    click.echo("The database is at the newest version.")


@cli.command()
@_prepared
def maintain() -> None:
    """Run maintenance alone: it closes dead runs and pushes lost ones again."""
    maintenance.main()


@cli.command()
@_command
def env() -> None:
    """Print the addresses of Postgres and Redis, for a shell to evaluate."""
    urls = settings.urls()
    click.echo(f"DATABASE_URL='{urls.database.replace('+psycopg', '')}'")
    click.echo(f"REDIS_URL='{urls.redis}'")
