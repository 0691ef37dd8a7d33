"""Two runs of a resource beside each other: counts, headers, reasons, and which rows failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.catalogue.issue import Issue
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import COUNTS, OutcomeKind, RunKind
from sync_core.organizations.people import Person
from sync_core.records import outcomes, privacy, reasons
from sync_core.records.privacy import Place
from sync_core.runs import Run, retries, sheet_facts, tallies

SHOWN = 50  # rows that are named, of each side and table

Pair = tuple[int, int]  # of the first run, and of the second


@dataclass(frozen=True)
class FailedRow:
    """A row that failed in one run alone, as the person may see it."""

    row_number: int | None
    key: str | None
    name: str | None
    reasons: Sequence[str]


@dataclass(frozen=True)
class OneSide:
    """The rows of a table that failed in one of the runs and not in the other."""

    rows: int = 0
    first: Sequence[FailedRow] = ()


@dataclass(frozen=True)
class Table:
    """What differs in one table; a count, or a reason, is given for both runs."""

    entity: str
    counts: Mapping[str, Pair]
    new_headers: Sequence[str]  # that only the second run has read
    lost_headers: Sequence[str]  # that only the first run has read
    reasons: Mapping[tuple[str, str], Pair]  # field and code, or rule -> rows
    only_first: OneSide
    only_second: OneSide


@dataclass(frozen=True)
class Comparison:
    """Two runs beside each other, table by table."""

    first: Run
    second: Run
    tables: Sequence[Table]
    notes: Sequence[str]  # of a run that did not take the whole source, so that counts may mislead


def compare(connection: Connection, first: Run, second: Run, person: Person | None) -> Comparison:
    """Compare two runs of one resource, or plans that wait. Raises SyncError("not_comparable")."""
    if (first.organization_id, first.resource) != (second.organization_id, second.resource):
        raise SyncError("not_comparable", first=first.id, second=second.id)
    both = (first, second)
    counted = tallies(connection, [run.id for run in both])
    why = [_reasons(connection, run) for run in both]
    headers = [sheet_facts.headers_by_entity(connection, run.id) for run in both]
    found = []
    for entity in resources.by_name(first.resource).entities:
        old, new = (read.get(entity.name, ()) for read in headers)
        counts = [counted.get(run.id, {}).get(entity.name, {}) for run in both]
        found.append(
            Table(
                entity=entity.name,
                counts={kind: _pair(*(one.get(kind, 0) for one in counts)) for kind in COUNTS},
                new_headers=[header for header in new if header not in old],
                lost_headers=[header for header in old if header not in new],
                reasons=_side_by_side(*(one.get(entity.name, {}) for one in why)),
                only_first=_failed_in_one(connection, first, second, entity.name, person),
                only_second=_failed_in_one(connection, second, first, entity.name, person),
            )
        )
    notes = [note for run in both if (note := _partial(connection, run))]
    return Comparison(first, second, found, notes)


def _partial(connection: Connection, run: Run) -> str | None:
    """Say of which rows a run is that did not take the whole source; None of one that did."""
    if run.kind == RunKind.UNDO:
        return f"Run {run.id} undid run {run.undoes}: its numbers are of records, not of rows."
    retried = retries.of_run(connection, run.id)
    if retried is None:
        return None
    return (
        f"Run {run.id} took only the rows that had failed in run {retried.run_id}: its numbers are"
        " of these rows alone."
    )


def _pair(first: int, second: int) -> Pair:
    return first, second


def _side_by_side(
    first: Mapping[tuple[str, str], int], second: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], Pair]:
    return {
        reason: (first.get(reason, 0), second.get(reason, 0))
        for reason in sorted(first.keys() | second.keys())
    }


def _reasons(connection: Connection, run: Run) -> dict[str, dict[tuple[str, str], int]]:
    """Return how many rows of each table were left out for each reason, follow-ups included."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    pending = list(reasons.of_run(connection, run))
    while pending:
        reason = pending.pop()
        pending += reason.follows
        rows = found.setdefault(reason.entity, {})
        what = (reason.field, reason.code)
        rows[what] = rows.get(what, 0) + reason.rows
    return found


def _failed_in_one(
    connection: Connection, run: Run, other: Run, entity: str, person: Person | None
) -> OneSide:
    """Return the rows that failed in a run and whose key, or else row, did not in the other."""
    kept = outcomes.table(connection, run)
    theirs = outcomes.table(connection, other).alias("theirs")
    failed_there = failed_in(other, theirs, entity)
    mine = (*_failed(run, kept, entity), who(kept).not_in(failed_there))
    seen = privacy.outcomes(Place.HISTORY, person, table=kept)
    rows = connection.execute(
        sa.select(sa.func.count()).select_from(kept).where(*mine)
    ).scalar_one()
    named = connection.execute(
        sa.select(kept.c.row_number, seen.key.label("key"), seen.name.label("name"), seen.issues)
        .where(*mine)
        .order_by(kept.c.row_number)
        .limit(SHOWN)
    )
    first = [
        FailedRow(number, key, name, [Issue.from_json(issue).told for issue in issues or ()])
        for number, key, name, issues in named
    ]
    return OneSide(rows, first)


def failed_in(run: Run, kept: sa.FromClause, entity: str) -> sa.Select[Any]:
    """Select `who` failed in a run."""
    return sa.select(who(kept)).where(*_failed(run, kept, entity), kept.c.row_number.is_not(None))


def who(kept: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the SQL by which a row is known in several runs: its key, else its number."""
    return sa.func.coalesce(kept.c.key, sa.cast(kept.c.row_number, sa.Text))


def _failed(run: Run, kept: sa.FromClause, entity: str) -> Sequence[sa.ColumnElement[bool]]:
    of_run = [kept.c.run_id == run.id]
    if "at" in kept.c and run.finished_at:
        of_run.append(outcomes.within(run.queued_at, run.finished_at, kept.c.at))
    return (*of_run, kept.c.entity == entity, kept.c.kind == OutcomeKind.FAILED)
