"""Apply a plan: target, outcomes and counts in one transaction, in batches of rows."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

import sqlalchemy as sa
from psycopg import errors, sql
from sqlalchemy import Connection

from sync_core import db, tables
from sync_core.errors import SyncError
from sync_core.plan import MEMORY, standing
from sync_core.scope import Scope
from sync_core.wording import Tally

BATCH = 50_000  # rows of the sheet


def apply(connection: Connection, scope: Scope, tally: Tally, moved: Callable[[int], None]) -> None:
    """Apply an entity's plan, inside the caller's transaction.

    `moved(rows)` is called after each batch, and may raise to end the transaction.
    Raises SyncError where the target is not as it was planned on, or not as it should become.
    """
    db.cursor(connection).execute(MEMORY)
    before = standing(connection, scope)
    try:
        for low, high in _batches(connection, scope):
            moved(_apply_rows(connection, scope, low, high))
        moved(_apply_removals(connection, scope))
        scope.run(connection, "set constraints all immediate")  # two may have swapped addresses
    except errors.UniqueViolation as error:
        raise SyncError("target_changed", table=scope.entity.name) from error
    expected = before + tally.created - (tally.removed if scope.entity.removal == "delete" else 0)
    if (found := standing(connection, scope)) != expected:
        raise SyncError("miscounted", table=scope.entity.name, found=found, expected=expected)
    _write_tally(connection, scope, tally)


def _batches(connection: Connection, scope: Scope) -> Iterator[tuple[int, int]]:
    """Give ranges of row numbers, half open, that together hold every planned row."""
    ((low, high),) = scope.ask(connection, "select min(row_number), max(row_number) from {plan}")
    if low is not None:
        for start in range(low, high + 1, BATCH):
            yield start, start + BATCH


def _apply_rows(connection: Connection, scope: Scope, low: int, high: int) -> int:
    fields = scope.entity.fields
    between = sql.SQL("p.row_number >= {0} and p.row_number < {1}").format(
        sql.Literal(low), sql.Literal(high)
    )
    here = {
        "here": between,
        "both": between
        + sql.SQL(" and s.row_number >= {0} and s.row_number < {1}").format(
            sql.Literal(low), sql.Literal(high)
        ),
    }
    created = scope.run(
        connection,
        "insert into {target} (organization_id, {columns}) select {org}, {s_columns}"
        " from {plan} p join {rows} s using (row_number) where p.kind = 'created' and {both}",
        columns=sql.SQL(", ").join(sql.Identifier(f.column) for f in fields),
        s_columns=sql.SQL(", ").join(sql.Identifier("s", f.column) for f in fields),
        **here,
    )
    updated = scope.run(
        connection,
        "update {target} t set {sets} from {plan} p join {rows} s using (row_number)"
        " where t.organization_id = {org} and {p_is_t} and p.kind = 'updated' and {both}",
        sets=_sets(scope),
        **here,
    )
    _expect_all_updated(connection, scope, between, updated)
    _write_outcomes(connection, scope, between)
    return created + updated


def _sets(scope: Scope) -> sql.Composed:
    sets = [
        sql.SQL("{0} = s.{0}").format(sql.Identifier(field.column))
        for field in scope.entity.fields
        if not field.key
    ]
    ours = sql.SQL("_updated_at = clock_timestamp(), _removed_at = null")
    return sql.SQL(", ").join([*sets, ours])


def _expect_all_updated(
    connection: Connection, scope: Scope, between: sql.Composed, updated: int
) -> None:
    """Refuse where a record that was to be updated is gone."""
    ((planned,),) = scope.ask(
        connection,
        "select count(*) from {plan} p where p.kind = 'updated' and {between}",
        between=between,
    )
    if planned != updated:
        raise SyncError("target_changed", table=scope.entity.name)


def _apply_removals(connection: Connection, scope: Scope) -> int:
    change = (
        "delete from {target} t using {plan} p"
        if scope.entity.removal == "delete"
        else "update {target} t set _removed_at = clock_timestamp() from {plan} p"
    )
    removed = scope.run(
        connection,
        change + " where t.organization_id = {org} and {p_is_t} and p.kind = 'removed'",
    )
    if removed:
        _write_outcomes(connection, scope, sql.SQL("p.kind = 'removed'"))
    return removed


def _write_outcomes(connection: Connection, scope: Scope, which: sql.Composable) -> None:
    """Write down what happened to the planned rows; unchanged ones are only counted."""
    scope.run(
        connection,
        "insert into outcomes (run_id, entity, kind, row_number, key, name, rule, row_hash,"
        " changes, issues, raw, at) select {run}, {entity}, p.kind, p.row_number, {p_key}, p.name,"
        " p.rule, p.row_hash, p.changes, p.issues, p.raw, transaction_timestamp()"
        " from {plan} p where {which}",
        run=sql.Literal(scope.run_id),
        entity=sql.Literal(scope.entity.name),
        which=which,
    )


def _write_tally(connection: Connection, scope: Scope, tally: Tally) -> None:
    connection.execute(
        sa.insert(tables.tallies).values(
            run_id=scope.run_id, entity=scope.entity.name, **asdict(tally)
        )
    )
