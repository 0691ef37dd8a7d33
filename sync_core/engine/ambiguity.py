"""Cells that mean something else if people write as another cell of their column shows."""

from collections.abc import Iterator

from psycopg import sql

from sync_core.catalogue.fields import Date, Field, Integer, Money, Number
from sync_core.catalogue.fields.amounts import MONEY_DECIMALS
from sync_core.engine.observations import Sign
from sync_core.engine.statements import Scope
from sync_core.records import privacy
from sync_core.records.privacy import Place


def refusals(scope: Scope) -> Iterator[sql.Composed]:
    """Return the SQL that refuses ambiguous cells, for each column with a cell that shows so."""
    for field in scope.entity.fields:
        if sign := scope.observed.signs.get(field.label):
            yield _refusal(scope, field, sign)


def _refusal(scope: Scope, field: Field, sign: Sign) -> sql.Composed:
    value = sql.Identifier("s", field.column)
    other = _read_otherwise(field, value)
    issue = scope.issue(
        field,
        "ambiguous_cell",
        label=sql.Literal(field.label),
        readings=_readings(scope, field, value, other),
        cell=sql.Literal(sign.cell),
        shows=sql.Literal(sign.shows),
    )
    return scope.statement(
        """
        insert into {findings}
        select s.row_number, {issue}
        from {rows} s
        where s._rule is null and s._marks & {mark} <> 0 and {other} is distinct from {value}
        """,
        issue=issue,
        mark=sql.Literal(1 << scope.place(field)),
        other=other,
        value=value,
    )


def _readings(
    scope: Scope, field: Field, value: sql.Composable, other: sql.Composable
) -> sql.Composable:
    """Return the SQL of the two things that a cell may mean, where everybody may read them."""
    if field in privacy.hidden(scope.entity, Place.LOG):
        return sql.SQL("''")
    return sql.SQL("format(' (%s or %s)', {}, {})").format(value, other)


def _read_otherwise(field: Field, value: sql.Composable) -> sql.Composed:
    """Return the SQL of what a marked cell means if people write otherwise.

    It is the value itself, where the field would refuse the other one.
    """
    if isinstance(field, Date):
        part = "extract({} from {})::integer"
        parts = [sql.SQL(part).format(sql.SQL(name), value) for name in ("year", "day", "month")]
        return sql.SQL("make_date({}, {}, {})").format(*parts)
    # 1.250 was read as 1.25 or as 1250: there is one mark, with three digits after it.
    other = "trim_scale(case when abs({0}) < 1000 then {0} * 1000.0 else {0} / 1000.0 end)"
    swapped = sql.SQL(other).format(value)
    return sql.SQL("case when {} then {} else {} end").format(
        _is_taken(field, swapped), swapped, value
    )


def _is_taken(field: Field, amount: sql.Composed) -> sql.Composed:
    """Return the SQL of whether an amount is one that the field takes."""
    conditions = []
    if isinstance(field, Integer | Money):
        decimals = MONEY_DECIMALS if isinstance(field, Money) else 0
        conditions.append(sql.SQL("scale({}) <= {}").format(amount, decimals))
    if isinstance(field, Integer | Number):
        bounds = ((">=", field.minimum), ("<=", field.maximum))
        conditions += [
            sql.SQL("{} {} {}").format(amount, sql.SQL(than), bound)
            for than, bound in bounds
            if bound is not None
        ]
    if not conditions:
        return sql.Composed([sql.SQL("true")])
    return sql.SQL(" and ").join(conditions)
