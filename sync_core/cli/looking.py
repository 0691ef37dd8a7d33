"""What is looked at from the shell: a run, the latest runs, what happened to one record.

These answer at once: what they need of the program is loaded, and no more.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.cli import run_json
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
from sync_core.organizations import Organization
from sync_core.runs import recovery, result_words


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@of_organization
@json_option
@prepared
def status(run_id: int, org: str, *, as_json: bool) -> int:
    """Tell how a run is, or how it ended."""
    organization = organization_called(org)
    with _as_they_are(organization) as connection:
        run = runs.get(connection, organization.id, run_id)
    return report(organization, run, as_json=as_json)


@contextmanager
def _as_they_are(organization: Organization) -> Iterator[Connection]:
    """Open a transaction in which no run is over its limit, though no worker is alive."""
    with db.within(organization.id) as connection:
        recovery.close_overdue(connection, organizations=[organization.id])
        yield connection


@click.command()
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
@of_organization
@as_person
@json_option
@prepared
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
    organization = organization_called(org)
    if record:
        if resource:
            raise click.UsageError("name a resource, or a record with --record")
        from sync_core.cli import record_history  # noqa: PLC0415 - it brings all exports along

        person = who(email, organization)
        record_history.show(organization, person, record, **asked, as_json=as_json)
        return
    if any(asked.values()):
        raise click.UsageError("--as-of and --csv are of a record: name it with --record")
    with _as_they_are(organization) as connection:
        found = runs.history(
            connection, organization.id, resource and resources.by_name(resource).name, limit
        )
    if as_json:
        click.echo(json.dumps({"runs": [run_json.of_run(organization, run) for run in found]}))
        return
    for run in found:
        when = run.queued_at.isoformat(timespec="seconds")
        title = resources.CATALOGUE[run.resource].title
        word = result_words.of_run(run)
        click.echo(f"{run.id}\t{when}\t{title}\t{word}\t{run.requested_by}\t{run.message}")
