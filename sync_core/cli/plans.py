"""The plan of a preview from the shell: each row as JSON, or all of them in a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from sync_core.audit import exports
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import OutcomeKind, RunStatus
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.records import outcomes
from sync_core.records.outcomes import Outcome, Wanted
from sync_core.runs import Run, plans

PAGE = 5_000  # rows that are read at a time


def write(organization: Organization, person: Person, run: Run, path: Path) -> None:
    """Write the plan of a run that waits as CSV. Raises SyncError("no_permission")."""
    written = exports.save(exports.outcomes(organization, person, run), path)
    click.echo(f"Wrote {count(written.rows, 'row')} to {path}.", err=True)


def as_json(run: Run, person: Person) -> Mapping[str, Any]:
    """Return the plan of a run that waits, as the person may see it; empty where it has none."""
    if run.status != RunStatus.WAITING:
        return {}
    with db.within(run.organization_id) as connection:
        kept = plans.of_run(connection, run.id)
        rows: list[Outcome] = []
        while found := outcomes.read(
            connection, run, Wanted(tuple(OutcomeKind), limit=PAGE, offset=len(rows)), person
        ):
            rows += found
    guards = [vars(one) for one in kept.tripped] if kept else []
    return {"plan": [_row(one) for one in rows], "guards": guards}


def _row(planned: Outcome) -> Mapping[str, Any]:
    return {**vars(planned), "issues": [issue.as_json() for issue in planned.issues]}
