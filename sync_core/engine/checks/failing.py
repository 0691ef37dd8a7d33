"""How rows of a plan fail, with what their cells held."""

from psycopg import sql

from sync_core.engine.statements import (
    Scope,
    json_object,
)


def fail(scope: Scope, losers: sql.Composed) -> sql.Composed:
    """Return the SQL that fails planned rows: `losers` gives their numbers and issues."""
    return scope.statement(
        """
        update {plan} p
        set
            kind = 'failed',
            changes = null,
            issues = jsonb_build_array(lost.issue),
            raw = {raw}
        from (
            {losers}
        ) lost
        join {rows} s using (row_number)
        where p.row_number = lost.row_number
        """,
        losers=losers,
        raw=typed_cells(scope),
    )


def tell(scope: Scope, losers: sql.Composed) -> sql.Composed:
    """Return the SQL that adds these issues to rows that have failed anyway."""
    return scope.statement(
        """
        update {plan} p
        set issues = issues || lost.issue
        from (
            {losers}
        ) lost
        where p.row_number = lost.row_number
        """,
        losers=losers,
    )


def typed_cells(scope: Scope) -> sql.Composed:
    """Return the SQL of a row's cells under their headers, as the fields read them."""
    pairs = (
        sql.SQL("{}, {}::text").format(
            sql.Literal(scope.columns.headers[index]), sql.Identifier("s", field.column)
        )
        for field, index in scope.columns.fields
    )
    return sql.SQL("jsonb_strip_nulls({})").format(json_object(pairs))
