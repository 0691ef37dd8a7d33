"""The one place that writes CSV: RFC 4180, written by Postgres, harmless in a spreadsheet.

A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.
Moments are ISO 8601 in UTC. Postgres writes the rows (COPY), so that a million of them pass
through in flat memory.
"""

import re
from collections.abc import Generator, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import db

BOM = "\ufeff".encode()  # so that Excel reads UTF-8
BLOCK = 2_000  # rows
# What shows nothing (Unicode's blanks, control, format and ignorable characters, hollow letters):
# programs may overlook it before a formula. These are insides of classes, as Python and Postgres
# both read them.
_BLANKS = (
    r"\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2"
    r"\u115f-\u1160\u1680\u17b4-\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800"
    r"\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U00013438"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_LINES = r"\t\n\r\v\f\u0085\u2028\u2029"  # where some programs begin another cell
# those of a formula, also in their wide and small forms
_SIGNS = r"=+@\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20-"
_FORMULA = rf"^(?:[{_BLANKS}]*[{_SIGNS}]|[{_LINES}])"
_INNER = rf"([;{_LINES}][{_BLANKS}\"']*)([{_SIGNS}])"
_PLAIN = r"^[A-Za-z0-9]"  # begins no formula: most cells are let through by it
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"


def text(cell: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return the SQL of a text that no spreadsheet takes for a formula.

    Not even one that splits lines at semicolons or tabs, as some do by their country, and so makes
    cells out of the parts of a text.
    """
    written = sa.cast(cell, sa.Text)
    begins = sa.and_(
        sa.not_(written.regexp_match(_PLAIN)),
        written.regexp_match(_FORMULA),
        sa.not_(written.regexp_match(_NUMBER)),
    )
    splits = written.regexp_match(f"[;{_LINES}]")
    parted = sa.func.regexp_replace(written, _INNER, r"\1'\2", "g")
    whole = sa.case((splits, parted), else_=written)
    return sa.case((begins, sa.literal("'").op("||")(whole)), else_=whole)


def moment(at: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return the SQL of a moment in ISO 8601: 2026-11-25T02:00:00.25Z."""
    local = sa.cast(sa.func.timezone("UTC", at), sa.Text)
    return sa.func.replace(local, " ", "T").op("||")(sa.literal("Z"))


def utc(title: str) -> str:
    """Return the title of a column of such moments: "Started (UTC)"."""
    return f"{title} (UTC)"


def line(cells: Iterable[object]) -> str:
    """Write a line whose cells are at hand, as harmless as those that Postgres writes."""
    return quoted("" if cell is None else harmless(str(cell)) for cell in cells) + "\r\n"


def quoted(texts: Iterable[str]) -> str:
    """Write a line of texts that are harmless already, without its end."""
    cells = (
        '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text
        for text in texts
    )
    return ",".join(cells)


def harmless(written: str) -> str:
    """Do to a text at hand what `text` does in Postgres."""
    whole = re.sub(_INNER, r"\1'\2", written)
    begins = re.match(_FORMULA, written) and not re.fullmatch(_NUMBER, written)
    return f"'{whole}" if begins else whole


def blocks(connection: Connection, query: sa.Select[*tuple[Any, ...]]) -> Generator[list[Any]]:
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
