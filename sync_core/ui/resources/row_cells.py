"""The cells of a record as people read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sync_core.catalogue.fields import (
    Convention,
    Field,
    Integer,
    Money,
    Number,
    Phone,
    Url,
    phones,
)
from sync_core.ui.parts.row_table import Cell
from sync_core.ui.parts.words import amount, calendar_day, moment

YES_NO = {True: "Yes", False: "No"}
BRIEF = 24  # characters, up to which a text is not wrapped


@dataclass(frozen=True)
class Reading:
    """What is needed to read the rows of a table: names of codes by label, zone, currency."""

    names: Mapping[str, Mapping[str, str]]
    zone: ZoneInfo
    currency: str | None  # of amounts that name none


def usual_currency(country: str, locale: str | None) -> str | None:
    """Return the currency of amounts that name none, where it is sure."""
    found = Convention(country, locale).own_currencies
    return next(iter(found)) if len(found) == 1 else None


def cell(field: Field, row: Mapping[str, Any], reading: Reading) -> Cell:
    """Return the cell of a field in a row, which is given by label; without text where blank."""
    match row[field.label]:
        case None:
            return Cell()
        case bool(value):
            return Cell(YES_NO[value], "" if value else "faint")
        case datetime() as value:
            return Cell(moment(value, reading.zone), "brief")
        case date() as value:
            return Cell(calendar_day(value), "brief")
        case time() as value:
            return Cell(f"{value:%H:%M}", "brief")
        case value:
            return _of_kind(field, value, row, reading)


def kind(field: Field) -> str:
    """Return how a column is set: its CSS classes."""
    if field.key:
        return "pinned"
    if field.named_in:
        return "named"
    return "number" if isinstance(field, Money | Integer | Number) else ""


def _of_kind(
    field: Field,
    value: Any,  # noqa: ANN401 - of any column
    row: Mapping[str, Any],
    reading: Reading,
) -> Cell:
    match field:
        case Money(currency=label):
            return Cell(amount(value, row.get(label or "") or reading.currency))
        case Integer():
            return Cell(f"{value:,}")
        case Number():
            return Cell(f"{value:f}")  # of any precision as it is written
        case Phone():
            return Cell(phones.for_people(value), "brief")
        case Url():
            return Cell(value, address=value)
        case _:
            return _text(field, str(value), reading)


def _text(field: Field, value: str, reading: Reading) -> Cell:
    name = reading.names.get(field.label, {}).get(value)
    if name:
        return Cell(f"{value} · {name}")
    return Cell(value, "brief" if len(value) <= BRIEF else "")
