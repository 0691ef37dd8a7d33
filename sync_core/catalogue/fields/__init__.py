"""Fields: each reads one cell, knows its SQL type, and says what is wrong with a stable code."""

import os

# Polars reads it when it is imported. Pages are small, and Postgres works beside us: two threads
# cost a tenth more than they bring.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

from sync_core.catalogue.fields import phones
from sync_core.catalogue.fields.amounts import Integer, Money, Number
from sync_core.catalogue.fields.cells import Cell, CellError, Reading, clean
from sync_core.catalogue.fields.contacts import Email, Phone, Url
from sync_core.catalogue.fields.convention import Convention
from sync_core.catalogue.fields.currencies import currencies
from sync_core.catalogue.fields.field import Field
from sync_core.catalogue.fields.moments import ALL_YEARS, Date, Moment, Time
from sync_core.catalogue.fields.number_formats import NumberCell, NumberFormat
from sync_core.catalogue.fields.words import Choice, Currency, Text, Verbatim, YesNo

__all__ = [
    "ALL_YEARS",
    "Cell",
    "CellError",
    "Choice",
    "Convention",
    "Currency",
    "Date",
    "Email",
    "Field",
    "Integer",
    "Moment",
    "Money",
    "Number",
    "NumberCell",
    "NumberFormat",
    "Phone",
    "Reading",
    "Text",
    "Time",
    "Url",
    "Verbatim",
    "YesNo",
    "clean",
    "warm_up",
]


def warm_up() -> None:
    """Load what the cells of most sheets are read with, once for all forks of this process."""
    usual = Convention()
    _marks = usual.decimal_mark, usual.group_mark
    phones.plan(usual.country)
    currencies()
