"""Why rows of one run failed or were skipped: each cause with what follows from it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from sync_core.catalogue import resources
from sync_core.catalogue.issue import part
from sync_core.foundation.vocabulary import LEFT_OUT, OutcomeKind
from sync_core.records import outcomes, privacy
from sync_core.runs import Run


@dataclass(frozen=True)
class Reason:
    """Why rows of an entity were left out, and how many; a row counts for each of its reasons."""

    entity: str
    kind: OutcomeKind  # failed or skipped
    field: str  # its label; "" where it is about the row as a whole
    code: str  # one of CELL_CODES, or the name of the rule that skips
    rows: int = 0
    follows: tuple["Reason", ...] = ()  # what is so in other tables only because of this


def of_run(connection: Connection, run: Run) -> list[Reason]:
    """Return the reasons of a run, or of its plan while it waits; those of most rows first."""
    told = _told(run, outcomes.table(connection, run))
    following = _following(connection, told)
    found = [
        replace(reason, follows=tuple(_most_first(following[replace(reason, rows=0)])))
        for reason in _causes(connection, told)
    ]
    return _most_first(_with_rules_beneath(found))


def _most_first(reasons: Iterable[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda one: (-one.rows, one.entity, one.field, one.code))


def _told(run: Run, kept: sa.FromClause) -> sa.CTE:
    """Select each reason of each row that was left out, with the row from which it follows."""
    elements = sa.func.jsonb_array_elements(kept.c.issues)
    issue = elements.table_valued(sa.column("value", JSONB), name="issue")
    value = issue.c.value
    failed = kept.c.kind == OutcomeKind.FAILED
    field, code = part(value, "field"), part(value, "code")
    return (
        sa.select(
            kept.c.entity,
            kept.c.kind,
            sa.case((failed, field), else_="").label("field"),
            sa.case((failed, code), else_=kept.c.rule).label("code"),
            kept.c.row_number,
            (kept.c.key if run.undoes else kept.c.row_number).label("row"),
            sa.cast(part(value, "cause"), sa.Integer).label("cause"),
            referred(kept.c.entity, field).label("parent"),
        )
        .select_from(kept)
        .join(issue, sa.true())
        .where(outcomes.of_run(run, kept), kept.c.kind.in_(LEFT_OUT))
        .cte("told")
    )


def referred(entity: sa.ColumnElement[Any], field: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the SQL of the entity that a field of an entity refers to, where it does."""
    references = {
        one.name: {f.label: f.refers_to for f in one.fields if f.refers_to}
        for one in resources.ENTITIES.values()
    }
    return privacy.constant(references).op("->")(entity).op("->>")(field)


def _causes(connection: Connection, told: sa.CTE) -> list[Reason]:
    one = told.c
    what = (one.entity, one.kind, one.field, one.code)
    rows = sa.func.count(one.row.distinct())
    query = sa.select(*what, rows).where(one.cause.is_(None)).group_by(*what)
    return [_reason(*row) for row in connection.execute(query)]


def _following(connection: Connection, told: sa.CTE) -> Mapping[Reason, list[Reason]]:
    """Return what follows from each reason, which is named without its count."""
    cause, one = told.alias("cause"), told.c
    why = (cause.c.entity, cause.c.kind, cause.c.field, cause.c.code)
    what = (one.entity, one.kind, one.field, one.code)
    its = (cause.c.entity == one.parent) & (cause.c.row_number == one.cause)
    rows = sa.func.count(one.row.distinct())
    query = sa.select(*why, *what, rows).join_from(told, cause, its).group_by(*why, *what)
    found = defaultdict[Reason, list[Reason]](list)
    for row in connection.execute(query):
        found[_reason(*row[:4])].append(_reason(*row[4:]))
    return found


def _reason(entity: str, kind: str, field: str, code: str, rows: int = 0) -> Reason:
    return Reason(entity, OutcomeKind(kind), field, code, rows)


def _with_rules_beneath(reasons: Iterable[Reason]) -> list[Reason]:
    """Put a rule that a row was skipped by for another's sake beneath the one whose rule it is."""
    found = list(reasons)
    own = [reason for reason in found if _is_of_its_own(reason)]
    others = [o for o in found if o not in own and any(_same_rule(o, one) for one in own)]
    return [
        replace(reason, follows=(*reason.follows, *(o for o in others if _same_rule(o, reason))))
        for reason in found
        if reason not in others
    ]


def _is_of_its_own(reason: Reason) -> bool:
    if reason.kind == OutcomeKind.FAILED:
        return True
    return reason.code in {skip.name for skip in resources.ENTITIES[reason.entity].skips}


def _same_rule(one: Reason, other: Reason) -> bool:
    return (one.kind, one.code) == (other.kind, other.code)
