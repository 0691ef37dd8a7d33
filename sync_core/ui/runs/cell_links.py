"""Where in the browser a cell of the source is seen, where there is such a place."""

import streamlit as st

from sync_core.foundation import db
from sync_core.records.outcomes import Outcome
from sync_core.runs import sheet_facts
from sync_core.runs.sheet_facts import SheetLinks


@st.cache_resource(ttl=600, max_entries=200, show_spinner=False)
def sheets_of(organization_id: int, run_id: int) -> SheetLinks:
    """Return the addresses of the sheets that the run has read; only those on the web."""
    with db.within(organization_id) as connection:
        return sheet_facts.links(connection, run_id)


def link(links: SheetLinks, outcome: Outcome) -> str | None:
    """Return the address of the first cell with an issue, else of the row."""
    cells = [issue.cell for issue in outcome.issues if issue.cell]
    return of_cell(links, outcome.entity, cells[0] if cells else None, outcome.row_number)


def of_cell(links: SheetLinks, entity: str, cell: str | None, row: int | None) -> str | None:
    """Return the address of a cell, else of the row."""
    before, found, _ = links.get(entity, "").rpartition("range=")
    if not found:
        return None
    return f"{before}range={cell.rsplit('!', 1)[-1] if cell else f'A{row or 1}'}"
