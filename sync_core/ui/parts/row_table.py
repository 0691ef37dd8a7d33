"""A table of rows that open, by a click anywhere on them or by Enter, and sort by a header.

It holds one page of many rows: so a header sorts nothing here, but names the order in the address,
in which Postgres gives all of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from sync_core.ui import STATIC
from sync_core.ui.parts.html import render

SORT = "sort"  # in the address: the name of a column, after a minus where the last comes first
_listener = st.components.v2.component(
    "row_table", js=(STATIC / "row_table.js").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Column:
    """A column; rows sort by those that have a name."""

    label: str
    kind: str = ""  # CSS classes: number, pinned, wide, first (on a phone)
    name: str = ""


@dataclass(frozen=True)
class Cell:
    """What stands in a cell."""

    text: str = ""
    kind: str = ""  # CSS classes: faint, badge and its colour
    icon: str = ""
    address: str = ""  # of what the cell links to
    under: str = ""  # a second line, smaller


@dataclass(frozen=True)
class Row:
    """A row; `opens` names what opens, "" where nothing does."""

    opens: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Order:
    """In which order rows stand; no column: in their own."""

    column: str | None = None
    descending: bool = False


@dataclass(frozen=True)
class Table:
    """A page of rows; as `cards`, each row is a card on a phone."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    order: Order = field(default_factory=Order)
    cards: bool = False

    @property
    def opens(self) -> bool:
        """Return whether any row opens."""
        return any(row.opens for row in self.rows)


def order(columns: Collection[str]) -> Order:
    """Return the order that the address names, where it names one of the columns."""
    asked = str(st.query_params.get(SORT, ""))
    column = asked.removeprefix("-")
    return Order(column, asked.startswith("-")) if column in columns else Order()


def show(table: Table, *, key: str, alt: str) -> str | None:
    """Show a page of rows; returns what somebody opens just now."""
    with st.container(key=key):
        st.html(render("row_table", table=table, alt=alt))
    if not table.opens and not any(column.name for column in table.columns):
        return None
    return listen(key, partial(_sort, f"opens-{key}", table.order))


def listen(key: str, sort: partial[None] | None = None) -> str | None:
    """Return what somebody opens just now in the element of this key."""
    done = _listener(
        key=f"opens-{key}",
        data=key,
        height=0,
        on_opened_change=lambda: None,
        on_sorted_change=sort or (lambda: None),
    )
    return str(done.opened) if done.opened else None


def _sort(listener: str, now: Order) -> None:
    """Sort by a column: the first click the first first, the second the last."""
    column = st.session_state[listener].sorted
    descending = column == now.column and not now.descending
    st.query_params[SORT] = f"-{column}" if descending else column
