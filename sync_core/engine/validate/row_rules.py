"""What the cells of a row say together: a blank row, a rule's skip, or a contradiction."""

from collections.abc import Iterator, Mapping

import polars as pl

from sync_core.catalogue.fields import Convention, Field, Money, Text, Time, YesNo
from sync_core.catalogue.fields.moments import MIDNIGHT
from sync_core.catalogue.resource import Entity, Order

RULE = "_rule"  # the column of the rule that leaves a row out
TOTALS = [  # what a row of sums begins with
    spelt + mark
    for word in (
        *("total", "totals", "grand total", "subtotal", "sub-total", "sub total", "sum", "count"),
        *("summe", "gesamt", "gesamtsumme", "total général", "totale", "totaal", "totalt", "suma"),
        *("razem", "итого", "всего", "合計", "总计"),
    )
    for spelt in (word, word.upper(), word.capitalize(), word.title())
    for mark in ("", ":")
]
WITHDRAWN = "withdrawn"  # the rule of a row that tells that its record is gone


def is_filled(entity: Entity) -> pl.Expr:
    """Return whether a row is no blank one.

    Only the cells of our fields count, and of these not those in which a sheet keeps a default
    down to its last row, such as a checkbox.
    """
    counting = [field for field in entity.fields if field.key or field.required or field.fills_rows]
    return pl.any_horizontal(pl.col(field.label).is_not_null() for field in counting)


def totals(entity: Entity, cells: pl.DataFrame) -> Iterator[tuple[int, str]]:
    """Return place and word of the rows that begin with Total and hold nothing else but numbers."""
    first = entity.keys[0]
    if not isinstance(first, Text):
        return
    others = [f.label for f in entity.fields if f is not first and not isinstance(f, YesNo)]
    for row in cells.filter(pl.col(first.label).is_in(TOTALS)).iter_rows(named=True):
        if not any(character.isalpha() for label in others for character in row[label] or ""):
            yield row["place"], row[first.label]


def kept_texts(entity: Entity) -> Iterator[pl.Expr]:
    """Return the texts that rules look at beside the values, as columns of their own."""
    amounts = [field for field in entity.fields if isinstance(field, Money)]
    labels = {field.label for field in amounts} | {f.currency for f in amounts if f.currency}
    labels |= {f.label for f in entity.fields if isinstance(f, Time) and f.may_end_the_day}
    for label in sorted(labels):
        yield pl.col(label).alias(_text(label))


def rule(entity: Entity) -> pl.Expr:
    """Return the name of the rule that leaves a row out; null where none does."""
    columns = {field.label: field.column for field in entity.fields}
    rules = [
        pl.when(pl.col(field.column).is_not_null()).then(pl.lit(WITHDRAWN))
        for field in entity.withdraws
    ]
    rules += [
        pl.when(pl.col(columns[skip.label]) == skip.value).then(pl.lit(skip.name))
        for skip in entity.skips
    ]
    return (pl.coalesce(rules) if rules else pl.lit(None, pl.String)).alias(RULE)


def withdrawn(gone: pl.Expr, rule: pl.Expr) -> pl.Expr:
    """Return the rule of a row, which is another one where its record is `gone`."""
    return pl.when(gone).then(pl.lit(WITHDRAWN)).otherwise(rule).alias(RULE)


def out_of_order(entity: Entity) -> dict[str, pl.Expr]:
    """Return by label the sentence of the order that the label's cell breaks, else null."""
    fields = {field.label: field for field in entity.fields}
    return {order.label: _broken(order, fields) for order in entity.orders}


def _broken(order: Order, fields: Mapping[str, Field]) -> pl.Expr:
    later, earlier = (pl.col(fields[label].column) for label in (order.label, order.than))
    wrong = (later < earlier) if order.or_equal else (later <= earlier)
    if isinstance(end := fields[order.label], Time) and end.may_end_the_day:
        wrong &= ~_ends_the_day(later, earlier, pl.col(_text(order.label)))
    return pl.when(wrong).then(pl.lit(order.sentence))


def _ends_the_day(later: pl.Expr, earlier: pl.Expr, text: pl.Expr) -> pl.Expr:
    """Return whether a time is the midnight after another; from 00:00 to 00:00 would be a guess."""
    return (later == MIDNIGHT) & ((earlier != MIDNIGHT) | text.str.starts_with("24"))


def other_currencies(entity: Entity, convention: Convention) -> dict[str, pl.Expr]:
    """Return by label what contradicts the currency that stands beside an amount, else null."""
    return {
        field.label: _contradiction(field, entity, convention)
        for field in entity.fields
        if isinstance(field, Money)
    }


def _contradiction(field: Money, entity: Entity, convention: Convention) -> pl.Expr:
    amount = pl.col(_text(field.label))
    foreign = field.is_foreign(amount, convention)
    if field.currency is None:
        here = " or ".join(sorted(convention.own_currencies))
        return pl.when(foreign).then(pl.lit(f"amounts are in {here} here"))
    named = next(f for f in entity.fields if f.label == field.currency)
    code, blank = pl.col(named.column), pl.col(_text(field.currency)).is_null()
    told = pl.concat_str(pl.lit(f"{field.currency} is "), code.fill_null("blank"))
    return pl.when(field.is_other(amount, code, convention) | (blank & foreign)).then(told)


def _text(label: str) -> str:
    return f"text of {label}"
