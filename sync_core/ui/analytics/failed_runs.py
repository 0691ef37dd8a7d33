"""The newest of some failed runs, each of which opens, and the way to all of them."""

from dataclasses import replace

import pandas as pd

from sync_core.analytics import habits
from sync_core.foundation.counting import count
from sync_core.runs import Run
from sync_core.runs.filters import Filter
from sync_core.ui.analytics import cached, cards, panel
from sync_core.ui.analytics.period import Asked, title
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import moment
from sync_core.ui.runs import history_tab

RESOURCE = Column("Resource")
COLUMNS = (
    Column("Message", "wide first"),
    RESOURCE,
    Column("By", "named"),
    Column("Requested", "brief"),
    Column("Run", "number"),
)


def show(here: Visitor, asked: Asked, wanted: Filter, runs: int, key: str) -> None:
    """Show the newest of the runs that the filter finds, and lead to the list of all of them.

    Where all of them are of one resource, it is not told for each.
    """
    cards.show_list_link(here, replace(asked, wanted=wanted), f"All {count(runs, 'run')}")
    found = cached.read(habits.newest, wanted, paging.PAGE_ROWS)
    left_out = RESOURCE if len(wanted.resource) == 1 else None
    columns = [column for column in COLUMNS if column != left_out]
    rows = [Row(f"{run.id}", [_cell(asked, run, column) for column in columns]) for run in found]
    opened = row_table.show(Table(columns, rows, cards=True), key=key, alt="Failed runs")
    if opened is not None:
        history_tab.open_run(here, int(opened))
    table = pd.DataFrame(
        {
            "Requested": asked.there(run.queued_at),
            "Resource": title(run.resource),
            "By": run.requested_by,
            "Message": run.message,
            "Run": run.id,
        }
        for run in found
    )
    panel.offer_file(here, asked, "Failed runs", table, key)


def _cell(asked: Asked, run: Run, column: Column) -> Cell:
    return Cell(
        {
            "Message": run.message,
            "Resource": title(run.resource),
            "By": run.requested_by,
            "Requested": moment(run.queued_at, asked.zone),
            "Run": f"{run.id}",
        }[column.label]
    )
