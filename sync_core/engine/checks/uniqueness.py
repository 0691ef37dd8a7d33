"""Rows whose unique value another record holds, or will hold after the run."""

from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity
from sync_core.engine.checks import failing
from sync_core.engine.statements import (
    Scope,
    execute,
    listed,
    same,
    told,
)
from sync_core.foundation.vocabulary import Removal


def keep_unique(connection: Connection, scope: Scope) -> None:
    """Fail the planned rows whose unique value another record will hold after the run.

    A row that fails keeps its old value, which may cost another row its new one: so this is
    asked again until nothing changes. Who holds a value already wins, then the first row.
    """
    unique = unique_fields(scope.entity)
    if unique:
        scope.run(connection, "analyze {plan} (row_number, kind, {plan_keys})")
    while lose_unique(connection, scope):
        pass
    for field in unique:
        for one in taken_besides(scope, field):
            execute(connection, one)


def unique_fields(entity: Entity) -> list[Field]:
    """Return the fields of which no two records hold the same value."""
    return [field for field in entity.fields if field.unique]


def lose_unique(connection: Connection, scope: Scope) -> int:
    """Fail the rows that lose their unique value once; returns how many."""
    statements = (one for field in unique_fields(scope.entity) for one in taken(scope, field))
    return sum([execute(connection, one) for one in statements])


def taken(scope: Scope, field: Field) -> Iterator[sql.Composed]:
    """Return the SQL that fails the rows whose unique value a record holds, or an earlier row."""
    wanted = _wanted(scope, field)
    yield failing.fail(scope, _held(scope, field, wanted))
    yield failing.fail(scope, _repeated(scope, field, wanted))


def taken_besides(scope: Scope, field: Field) -> Iterator[sql.Composed]:
    """Return the SQL that tells it of the rows that have failed anyway."""
    failed = _failed(scope, field)
    yield failing.tell(scope, _held(scope, field, failed))
    yield failing.tell(scope, _repeated(scope, field, failed))


def _wanted(scope: Scope, field: Field) -> sql.Composed:
    """Return the rows that get a new value: only these can take one from somebody."""
    return scope.statement(
        """
        select p.row_number, {p_keys}, s.{value} as _value
        from {plan} p join {rows} s using (row_number)
        where s.{value} is not null
            and (p.kind = 'created' or p.kind = 'updated' and p.changes ? {column})
        """,
        **_about(field),
    )


def _failed(scope: Scope, field: Field) -> sql.Composed:
    """Return the rows that failed, but not for this value."""
    return scope.statement(
        """
        select p.row_number, {p_keys}, s.{value} as _value
        from {plan} p join {rows} s using (row_number)
        where s.{value} is not null and p.kind = 'failed' and not p.issues
            @> jsonb_build_array(jsonb_build_object('field', {label}, 'code', 'not_unique'))
        """,
        **_about(field),
    )


def _held(scope: Scope, field: Field, candidates: sql.Composed) -> sql.Composed:
    """Return the candidates whose value a record of the table holds and will not let go."""
    return scope.statement(
        """
        select distinct on (s.row_number) s.row_number, {issue} as issue
        from (
            {candidates}
        ) s
        join {target} t on t.organization_id = {org} and t.{value} = s._value
            and ({s_keys}) is distinct from ({t_keys})
        left join {rows} n on {n_is_t}
        where not exists (
            select from {plan} p
            where {p_is_t} and (
                p.kind = 'updated' and p.changes ? {column} or p.kind = 'removed' and {deletes}
            )
        )
        order by s.row_number, n.row_number
        """,
        candidates=candidates,
        issue=_taken(scope, field, told("t", scope.entity) or sql.SQL("null")),
        n_is_t=same("n", "t", scope.entity.keys),
        deletes=sql.Literal(scope.entity.removal == Removal.DELETE),
        **_about(field),
    )


def _repeated(scope: Scope, field: Field, candidates: sql.Composed) -> sql.Composed:
    """Return the candidates whose value an earlier row gets."""
    return scope.statement(
        """
        select s.row_number, {issue} as issue
        from (
            {candidates}
        ) s
        join (
            select distinct on (_value) * from (
                {wanted}
            ) w order by _value, row_number
        ) n on n._value = s._value and n.row_number <> s.row_number
            and ({s_keys}) is distinct from ({n_keys})
        """,
        candidates=candidates,
        wanted=_wanted(scope, field),
        issue=_taken(scope, field, sql.SQL("null")),
        n_keys=listed("n", scope.entity.keys),
        **_about(field),
    )


def _about(field: Field) -> dict[str, sql.Composable]:
    return {
        "value": sql.Identifier(field.column),
        "column": sql.Literal(field.column),
        "label": sql.Literal(field.label),
    }


def _taken(scope: Scope, field: Field, otherwise: sql.Composable) -> sql.Composed:
    row = sql.SQL("null" if scope.undoes else "'row ' || n.row_number")
    holder = sql.SQL("coalesce({}, {}, 'another record')").format(row, otherwise)
    return scope.issue(field, "not_unique", beside=holder, label=sql.Literal(field.label))
