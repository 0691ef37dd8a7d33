"""What only the whole sheet, or the table, shows of a row: repeats, references, unique values."""

from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue.fields import Text
from sync_core.engine import ambiguity
from sync_core.engine.checks import alike, references
from sync_core.engine.statements import Scope, execute
from sync_core.foundation import db
from sync_core.records import privacy
from sync_core.records.privacy import Place

FINDINGS = (
    "create unlogged table {findings} (row_number integer, issue jsonb, rule text, reason text)"
)


def find(connection: Connection, scope: Scope) -> int:
    """Write down the rows that the whole sheet, or the tables, show to be wrong.

    They repeat a key, refer to nothing, or hold what may mean something else than it was read as.
    Returns how many issues there are.
    """
    scope.run(connection, "drop table if exists {findings}")
    scope.run(connection, FINDINGS)
    found = execute(connection, repeated_keys(scope)) if scope.repeats else 0
    if scope.observed.keys_beyond_ascii:
        found += sum(execute(connection, one) for one in twins(scope))
    if scope.observed.keys_of_digits and not scope.partial:
        found += sum(execute(connection, one) for one in lost_zeros(scope))
    if lost := sum(execute(connection, one) for one in references.references(scope)):
        # Postgres guesses that hardly a row refers to nothing
        with db.without_loops(connection):
            for _, one in references.suggestions(scope):
                execute(connection, one)
    return found + lost + sum(execute(connection, one) for one in ambiguity.refusals(scope))


def repeated_keys(scope: Scope) -> sql.Composed:
    """Return the SQL that finds the rows whose key stands in an earlier row."""
    label = " + ".join(field.label for field in scope.entity.keys)
    issue = scope.issue(
        scope.entity.keys[0],
        "repeated_key",
        key=alike.quoting(scope.entity, label, scope.entity.keys, scope.names["s_key"]),
        row=sql.SQL("first"),
    )
    return scope.statement(
        """
        insert into {findings}
        select s.row_number, {issue}
        from {rows} s
        join (
            select {keys}, min(row_number) as first
            from {rows} group by {keys} having count(*) > 1
        ) t on {s_is_t}
        where s.row_number > first and s._rule is null
        """,
        issue=issue,
    )


def twins(scope: Scope) -> Iterator[sql.Composed]:
    """Return the SQL that finds the rows whose key people cannot tell from another one.

    It has letters of another alphabet, or of another width, and the other one may have none.
    """
    field, *others = scope.entity.keys
    if others or not isinstance(field, Text) or field in privacy.hidden(scope.entity, Place.LOG):
        return
    value = sql.Identifier("s", field.column)
    yield scope.statement(
        """
        with odd as materialized (
            select row_number, {value} as key, {alike_value} as alike
            from {rows} s
            where s._rule is null and octet_length({value}) <> char_length({value})
        ),
        near as materialized (
            select row_number, min(k.key) as key
            from odd join (select key, {alike_key} as alike from ({there}) t) k using (alike)
            where lower(k.key) <> lower(odd.key)
            group by 1
        )
        insert into {findings}
        select s.row_number, {issue}
        from {rows} s join near using (row_number)
        """,
        value=value,
        alike_value=alike.alike(value),
        alike_key=alike.alike(sql.Identifier("key")),
        there=alike.keys_known(scope, scope.entity),
        issue=scope.issue(
            field,
            "looks_like_another",
            key=alike.quoting(scope.entity, field.label, [field], value),
            other=sql.SQL("near.key"),
        ),
    )


def lost_zeros(scope: Scope) -> Iterator[sql.Composed]:
    """Return the SQL that finds new keys that are a known one without its zeros, which is gone.

    Programs that take a code for a number make 7 of 007, and 7.0 of 7.
    """
    field, *others = scope.entity.keys
    if others or not isinstance(field, Text) or field in privacy.hidden(scope.entity, Place.LOG):
        return
    value = sql.Identifier("s", field.column)
    yield scope.statement(
        """
        with new as materialized (
            select row_number, ltrim(regexp_replace({value}, '[.]0$', ''), '0') as digits
            from {rows} s
            where s._rule is null and {value} ~ '^[0-9]+([.]0)?$' and not exists (
                select from {target} t where {s_is_t} and t._removed_at is null
            )
        ),
        near as materialized (
            select n.row_number, min(t.{key}) as key
            from new n join {target} t on ltrim(t.{key}, '0') = n.digits
            where t.organization_id = {org} and t._removed_at is null
                and not exists (select from {rows} s where {s_is_t})
            group by 1
        )
        insert into {findings}
        select s.row_number, {issue}
        from {rows} s join near using (row_number)
        """,
        value=value,
        key=sql.Identifier(field.column),
        issue=scope.issue(
            field,
            "zeros_lost",
            key=alike.quoting(scope.entity, field.label, [field], value),
            other=sql.SQL("near.key"),
        ),
    )
