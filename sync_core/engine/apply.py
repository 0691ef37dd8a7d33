"""Apply a plan: target, outcomes and counts in one transaction, in batches of rows."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from psycopg import errors, sql
from sqlalchemy import Connection

from sync_core.engine.plan import ALONE, MEMORY, standing
from sync_core.engine.statements import Scope, listed
from sync_core.engine.tally import Tally
from sync_core.foundation import db, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal
from sync_core.records import outcome_format

BATCH = 1024  # pages of a table: 30,000 to 90,000 rows
BATCHES = 10  # at least, where there are as many pages: people see how it goes


def apply(connection: Connection, scope: Scope, tally: Tally, moved: Callable[[int], None]) -> None:
    """Apply an entity's plan, inside the caller's transaction.

    `moved(rows)` is called after each batch, and may raise to end the transaction.
    Raises SyncError where the target is not as it was planned on, or not as it should become.
    """
    db.cursor(connection).execute(MEMORY)
    if planned := tally.created + tally.updated + tally.removed:
        before = standing(connection, scope)
    with ThreadPoolExecutor(1) as beside:  # Postgres has a second core, which nothing else uses
        batches = beside.submit(_batches_of_outcomes, scope, tally, _now(connection))
        if _change(connection, scope, tally, moved) != planned:
            raise SyncError("target_changed", table=scope.entity.name)  # one to update is gone
        if planned:
            _expect(connection, scope, before + tally.created - _deleted(scope, tally))
    _write_tally(connection, scope, tally)
    _write_hashes(connection, scope, batches.result())
    if tally.failed:
        _write_issue_tallies(connection, scope)


def _change(
    connection: Connection, scope: Scope, tally: Tally, moved: Callable[[int], None]
) -> int:
    """Write target and outcomes; returns how many records were changed."""
    changed = 0
    try:
        for rows in _write(connection, scope, tally):
            changed += rows
            moved(rows)
        db.cursor(connection).execute("set constraints all immediate")  # two may have swapped
    except errors.UniqueViolation as error:
        raise SyncError("target_changed", table=scope.entity.name) from error
    return changed


def _write(connection: Connection, scope: Scope, tally: Tally) -> Iterator[int]:
    """Write target and outcomes batch by batch; returns how many records each has changed."""
    if tally.created == scope.staged and not tally.removed:  # then no row must be looked up
        for batch in _batches(connection, scope, "rows"):
            yield _create_all(connection, scope, _within("s.ctid", batch))
            _write_outcomes(connection, scope, _within("p.tid", batch))
    else:
        for batch in _batches(connection, scope, "plan"):
            yield _apply_rows(connection, scope, tally, _within("p.ctid", batch))


def _batches(connection: Connection, scope: Scope, table: str) -> Iterator[tuple[str, str]]:
    """Return ranges of a table's pages that together hold each of its rows once."""
    name = sql.Literal(scope.names[table].as_string())
    size = "select pg_relation_size({name}::regclass) / current_setting('block_size')::integer"
    ((pages,),) = scope.ask(connection, size, name=name)
    batch = min(BATCH, max(1, pages // BATCHES))
    for first in range(0, pages, batch):
        yield f"({first},0)", f"({first + batch},0)"


def _within(place: str, batch: tuple[str, str]) -> sql.Composed:
    ends = (sql.Literal(end) for end in batch)
    return sql.SQL(place + " >= {}::tid and " + place + " < {}::tid").format(*ends)


def _apply_rows(connection: Connection, scope: Scope, tally: Tally, here: sql.Composed) -> int:
    changed = _create(connection, scope, here) if tally.created else 0
    changed += _update(connection, scope, here) if tally.updated else 0
    changed += _remove(connection, scope, here) if tally.removed else 0
    _write_outcomes(connection, scope, here)
    return changed


def _create_all(connection: Connection, scope: Scope, here: sql.Composed) -> int:
    return _insert(connection, scope, sql.SQL("{rows} s where ").format(**scope.names) + here)


def _create(connection: Connection, scope: Scope, here: sql.Composed) -> int:
    planned = sql.SQL("{plan} p join {rows} s on {s_is_p} where p.kind = 'created' and ")
    return _insert(connection, scope, planned.format(**scope.names) + here)


def _insert(connection: Connection, scope: Scope, source: sql.Composed) -> int:
    return scope.run(
        connection,
        "insert into {target} (organization_id, {columns}) select {org}, {s_columns} from {source}",
        columns=sql.SQL(", ").join(sql.Identifier(f.column) for f in scope.entity.fields),
        s_columns=listed("s", scope.entity.fields),
        source=source,
    )


def _update(connection: Connection, scope: Scope, here: sql.Composed) -> int:
    return scope.run(
        connection,
        "update {target} t set {sets} from {plan} p join {rows} s on {s_is_p}"
        " where t.organization_id = {org} and {p_is_t} and p.kind = 'updated' and {here}",
        sets=_sets(scope),
        here=here,
    )


def _sets(scope: Scope) -> sql.Composed:
    sets = [
        sql.SQL("{0} = s.{0}").format(sql.Identifier(field.column))
        for field in scope.entity.fields
        if not field.key
    ]
    ours = scope.statement("_updated_at = clock_timestamp(), _removed_at = {s_removed_at}")
    return sql.SQL(", ").join([*sets, ours])


def _remove(connection: Connection, scope: Scope, here: sql.Composed) -> int:
    change = (
        "delete from {target} t using {plan} p"
        if scope.entity.removal == Removal.DELETE
        else "update {target} t set _removed_at = clock_timestamp() from {plan} p"
    )
    return scope.run(
        connection,
        change + " where t.organization_id = {org} and {p_is_t} and p.kind = 'removed' and {here}",
        here=here,
    )


def _write_outcomes(connection: Connection, scope: Scope, here: sql.Composed) -> None:
    """Write down what happened to the planned rows; unchanged ones are only counted."""
    scope.run(
        connection,
        "insert into outcomes (run_id, entity, kind, row_number, key, name, rule, row_hash,"
        " changes, issues, raw, at) select {run}, {entity}, {outcome} from {plan} p where {here}",
        run=sql.Literal(scope.run_id),
        entity=sql.Literal(scope.entity.name),
        outcome=_outcome(scope, sql.SQL("transaction_timestamp()")),
        here=here,
    )


def _outcome(scope: Scope, at: sql.Composable) -> sql.Composed:
    """Return the SQL of what is written down of a planned row."""
    return sql.SQL(
        "p.kind, {p_row} as row_number, {p_key} as key, p.name, p.rule, p.row_hash,"
        " p.changes, p.issues, p.raw, {at} as at"
    ).format(**scope.names, at=at)


def _deleted(scope: Scope, tally: Tally) -> int:
    return tally.removed if scope.entity.removal == Removal.DELETE else 0


def _expect(connection: Connection, scope: Scope, expected: int) -> None:
    """Refuse where the target does not hold as many records as it should."""
    if (found := standing(connection, scope)) != expected:
        raise SyncError("miscounted", table=scope.entity.name, found=found, expected=expected)


def _write_tally(connection: Connection, scope: Scope, tally: Tally) -> None:
    values = {"run_id": scope.run_id, "entity": scope.entity.name, **asdict(tally)}
    connection.execute(sa.insert(tables.tallies).values(**values))


def _now(connection: Connection) -> datetime:
    """Return the time of the outcomes of this transaction."""
    now = sa.select(sa.cast(sa.func.transaction_timestamp(), sa.DateTime(timezone=True)))
    return connection.execute(now).scalar_one()


Hashed = tuple[int, bytes]  # the number of a batch of outcomes, and the root over them


def _batches_of_outcomes(scope: Scope, tally: Tally, at: datetime) -> Sequence[Hashed]:
    """Hash the outcomes: those of the plan, which is much shorter than their table."""
    run, entity, now = map(sql.Literal, (scope.run_id, scope.entity.name, at))
    planned = scope.statement("(select {outcome} from {plan} p)", outcome=_outcome(scope, now))
    statement = outcome_format.batches(
        planned.as_string(),
        of=(),
        facts=outcome_format.facts_of_run(run, entity, now),
        numbered=not scope.undoes and not tally.removed,
    )
    with db.within(scope.organization_id) as connection:
        cursor = db.cursor(connection)
        cursor.execute(f"{MEMORY}; {ALONE}")
        cursor.execute(statement.encode())
        return list(cursor)


def _write_hashes(connection: Connection, scope: Scope, batches: Sequence[Hashed]) -> None:
    whose = {"run_id": scope.run_id, "entity": scope.entity.name}
    rows = [{**whose, "number": number, "root": root} for number, root in batches]
    if rows:
        connection.execute(sa.insert(tables.outcome_batches), rows)


def _write_issue_tallies(connection: Connection, scope: Scope) -> None:
    """Count the failed rows by the codes of their issues; each row once for each code."""
    scope.run(
        connection,
        "insert into issue_tallies (run_id, entity, code, rows)"
        " select {run}, {entity}, i.code, count(*) from {plan} p cross join lateral"
        " (select distinct issue ->> 'code' as code from jsonb_array_elements(p.issues) issue) i"
        " where p.kind = 'failed' group by i.code",
        run=sql.Literal(scope.run_id),
        entity=sql.Literal(scope.entity.name),
    )
