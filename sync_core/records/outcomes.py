"""What a run did to each row, a screenful at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue.issue import Issue
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.organizations.people import Person
from sync_core.records import privacy
from sync_core.records.privacy import Place
from sync_core.runs import Run

Moment = datetime | sa.ColumnElement[Any]


@dataclass(frozen=True)
class Outcome:
    """What happened to one row; `changes` gives before and after, or the whole removed row."""

    entity: str
    kind: str
    row_number: int | None
    key: str | None
    name: str | None
    rule: str | None
    changes: Mapping[str, Any] | None
    issues: Sequence[Issue]


@dataclass(frozen=True)
class Wanted:
    """Which outcomes of a run are asked for, and the window that is shown."""

    kinds: Sequence[str]
    search: str = ""  # occurs in key, name, rule or reasons
    limit: int = 50
    offset: int = 0


def of_run(run: Run) -> sa.ColumnElement[bool]:
    """Return the condition that an outcome is the run's."""
    kept = tables.outcomes.c
    return (kept.run_id == run.id) & within(run.queued_at, run.finished_at)


def within(asked: Moment, ended: Moment | None) -> sa.ColumnElement[bool]:
    """Return the condition that an outcome is of this time, as those of a run always are.

    So Postgres looks at the partition of that month, or of two, and not at those of all years.
    """
    at = tables.outcomes.c.at
    return at >= asked if ended is None else at.between(asked, ended)


def count(connection: Connection, run: Run, wanted: Wanted, person: Person | None = None) -> int:
    """Count the outcomes of the run that the person asks for."""
    query = sa.select(sa.func.count()).select_from(tables.outcomes)
    return int(connection.execute(query.where(*_which(run, wanted, person))).scalar_one())


def read(
    connection: Connection, run: Run, wanted: Wanted, person: Person | None = None
) -> list[Outcome]:
    """Read a window of the run's outcomes: failed ones first, then by entity and row.

    What the `person` may not see is masked, and neither searched nor sorted by.
    """
    kept, seen = tables.outcomes.c, privacy.outcomes(Place.HISTORY, person)
    query = (
        sa.select(
            kept.entity,
            kept.kind,
            kept.row_number,
            seen.key.label("key"),
            seen.name.label("name"),
            kept.rule,
            seen.changes.label("changes"),
            seen.issues.label("issues"),
        )
        .where(*_which(run, wanted, person))
        .order_by(
            (kept.kind == OutcomeKind.FAILED).desc(),
            kept.entity,
            kept.row_number.nulls_last(),
            privacy.outcomes(Place.SORT, person).order,
        )
        .limit(wanted.limit)
        .offset(wanted.offset)
    )
    rows = connection.execute(query).mappings()
    return [
        Outcome(**{**row, "issues": [Issue.from_json(one) for one in row["issues"] or ()]})
        for row in rows
    ]


def _which(run: Run, wanted: Wanted, person: Person | None) -> list[sa.ColumnElement[bool]]:
    kept = tables.outcomes.c
    which = [of_run(run), kept.kind.in_(wanted.kinds)]
    seen = privacy.outcomes(Place.SEARCH, person)
    row = sa.func.concat_ws("\n", seen.key, seen.name, kept.rule, sa.cast(seen.issues, sa.Text))
    return [*which, *(row.icontains(word, autoescape=True) for word in wanted.search.split())]
