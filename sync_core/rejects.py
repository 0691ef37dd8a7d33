"""The rows of a run that did not make it, as CSV: original columns, row number, reasons."""

import csv
import io
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import tables

OURS = ("Entity", "Row", "Outcome", "Reasons")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of a formula


def as_csv(connection: Connection, run_id: int) -> Iterator[str]:
    """Give the lines of the CSV (RFC 4180), in flat memory; texts cannot run as formulas."""
    headers = _headers(connection, run_id)
    yield line([*OURS, *headers])
    for row in _rows(connection, run_id):
        raw = row["raw"] or {}
        kept = (row["entity"], row["row_number"], row["kind"], _reasons(row))
        yield line([*kept, *(raw.get(header) for header in headers)])


def _headers(connection: Connection, run_id: int) -> list[str]:
    """Collect the columns of the sheets that the run read, each once."""
    kept = tables.checkpoints.c
    sheets = connection.execute(
        sa.select(kept.sheet).where(kept.run_id == run_id).order_by(kept.entity)
    ).scalars()
    return list(dict.fromkeys(h for sheet in sheets for h in sheet["headers"] if h))


def _rows(connection: Connection, run_id: int) -> Iterable[sa.RowMapping]:
    kept = tables.outcomes.c
    query = (
        sa.select(kept.entity, kept.row_number, kept.kind, kept.issues, kept.raw)
        .where(kept.run_id == run_id, kept.kind.in_(("failed", "skipped")))
        .order_by(kept.entity, kept.row_number)
    )
    return connection.execution_options(yield_per=1000).execute(query).mappings()


def _reasons(row: sa.RowMapping) -> str:
    return "; ".join(f"{issue['cell']}: {issue['sentence']}" for issue in row["issues"] or ())


def line(cells: Iterable[object]) -> str:
    """Write one line of CSV whose texts no spreadsheet takes for formulas."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return text.getvalue()


def harmless(cell: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would run; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(FORMULA) and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
