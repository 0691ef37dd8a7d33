"""Settle what single rows leave open, once the whole sheet is staged and before it is compared."""

from collections.abc import Iterator
from dataclasses import replace

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue.fields import Field, YesNo
from sync_core.engine import staging
from sync_core.engine.statements import Scope, execute, listed

ALIKE = 3  # rows with the same few cells, and nothing else, are what a sheet was prepared with


def blank_rows(connection: Connection, scope: Scope) -> Scope:
    """Take rows of mere defaults out of staging; returns the scope with its counts as they are."""
    if not scope.keyless:
        return scope
    if blank := execute(connection, prepared_rows(scope)):
        staging.leave_out(connection, scope.run_id, scope.entity, blank)
    return replace(
        scope,
        staged=scope.staged - blank,
        blank=scope.blank + blank,
        keyless=scope.keyless - blank,
    )


def prepared_rows(scope: Scope) -> sql.Composed:
    """Return the SQL that deletes rows that are blank but for cells that others repeat."""
    fields = [field for field in scope.entity.fields if field.key or field.required]
    nothing = (sql.SQL("{} is null").format(sql.Identifier("s", f.column)) for f in fields)
    return scope.statement(
        """
        delete from {rows} d using (
            select s.row_number, count(*) over (partition by {cells}) as alike
            from {rows} s
            where s._issues is not null and {nothing} and not exists (
                select from jsonb_array_elements(s._issues) i where i ->> 'code' <> 'required'
            )
        ) bare
        where bare.row_number = d.row_number and bare.alike >= {alike}
        """,
        cells=listed("s", scope.entity.fields),
        nothing=sql.SQL(" and ").join(nothing),
        alike=sql.Literal(ALIKE),
    )


def blank_cells(connection: Connection, scope: Scope) -> dict[str, int]:
    """Let a blank cell of a known record mean what it has, where the default is another value.

    Returns how many records keep their value so, by the label of the column.
    """
    filled = scope.observed.filled
    kept = {
        field.label: execute(connection, statement)
        for field, statement in known_values(scope)
        if filled.get(field.label, 0) < scope.observed.rows
    }
    return {label: rows for label, rows in kept.items() if rows}


def known_values(scope: Scope) -> Iterator[tuple[Field, sql.Composed]]:
    """Return the SQL that puts the known value into blank cells, for each field with a default."""
    for field in scope.entity.fields:
        if isinstance(field, YesNo) and field.default is not None:
            yield (
                field,
                scope.statement(
                    """
                    update {rows} s set {column} = t.{column}
                    from {target} t
                    where t.organization_id = {org} and {s_is_t} and s._marks & {mark} <> 0
                        and t.{column} <> s.{column}
                    """,
                    column=sql.Identifier(field.column),
                    mark=sql.Literal(1 << scope.place(field)),
                ),
            )
