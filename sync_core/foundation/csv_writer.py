"""The one place that writes CSV: RFC 4180, written by Postgres, harmless in a spreadsheet.

A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.
Moments are ISO 8601 in UTC. Postgres writes the rows (COPY), so that a million of them pass
through in flat memory.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import db

BOM = "\ufeff".encode()  # so that Excel reads UTF-8
BLOCK = 2_000  # rows
# What may begin a formula: = + - @, tab and line ends, in their wide forms, and behind blanks.
_ASCII = (9, 10, 13, 32, 43, 45, 61, 64, 160, 65_279, 65_291, 65_293, 65_309, 65_312)
_SIGNS = r"[-=+@\uff0b\uff0d\uff1d\uff20]"
_INNER = rf"([;\t\n\r][\s\u00a0\"']*)({_SIGNS})"
_FORMULA = r"^[\s\u00a0\ufeff]*[-=+@\u0009\u000a\u000d\uff0b\uff0d\uff1d\uff20]"
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"


def text(cell: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return the SQL of a text that no spreadsheet takes for a formula.

    Not even one that splits lines at semicolons or tabs, as some do by their country, and so makes
    cells out of the parts of a text.
    """
    written = sa.cast(cell, sa.Text)
    codes: sa.ColumnElement[Any] = sa.literal_column(f"({', '.join(map(str, _ASCII))})")
    begins = sa.and_(
        sa.func.ascii(written).op("in")(codes),  # cheap: most cells are let through by it
        written.regexp_match(_FORMULA),
        sa.not_(written.regexp_match(_NUMBER)),
    )
    splits = sa.or_(*(sa.func.strpos(written, mark) > 0 for mark in ";\t\n\r"))
    parted = sa.func.regexp_replace(written, _INNER, r"\1'\2", "g")
    whole = sa.case((splits, parted), else_=written)
    return sa.case((begins, sa.literal("'").op("||")(whole)), else_=whole)


def moment(at: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return the SQL of a moment in ISO 8601: 2026-11-25T02:00:00.25Z."""
    local = sa.cast(sa.func.timezone("UTC", at), sa.Text)
    return sa.func.replace(local, " ", "T").op("||")(sa.literal("Z"))


def line(cells: Iterable[object]) -> str:
    """Write a line whose cells are at hand, as harmless as those that Postgres writes."""
    texts = ("" if cell is None else harmless(str(cell)) for cell in cells)
    quoted = (
        '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text
        for text in texts
    )
    return ",".join(quoted) + "\r\n"


def harmless(written: str) -> str:
    """Do to a text at hand what `text` does in Postgres."""
    whole = re.sub(_INNER, r"\1'\2", written)
    begins = re.match(_FORMULA, written) and not re.fullmatch(_NUMBER, written)
    return f"'{whole}" if begins else whole


def blocks(connection: Connection, query: sa.Select[*tuple[Any, ...]]) -> Iterator[list[Any]]:
    """Return the rows of the query as lines of CSV without their ends, some at a time."""
    compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
    statement = f"copy ({compiled}) to stdout (format csv)".encode()
    rows: list[Any] = []
    with db.cursor(connection).copy(statement, compiled.params) as copy:
        for row in copy:
            rows.append(row[:-1])
            if len(rows) == BLOCK:
                yield rows
                rows = []
    if rows:
        yield rows


def joined(rows: list[Any]) -> bytes:
    """Join lines as RFC 4180 ends them."""
    return b"\r\n".join(rows) + b"\r\n"
