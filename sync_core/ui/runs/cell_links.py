"""Where in the browser a cell of the source is seen, where there is such a place."""

import streamlit as st

from sync_core.foundation import db
from sync_core.records.outcomes import Outcome
from sync_core.runs import sheet_facts
from sync_core.runs.sheet_facts import SheetLinks


@st.cache_resource(ttl=600, max_entries=200, show_spinner=False)
def sheets_of(run_id: int) -> SheetLinks:
    """Return the addresses of the sheets that the run has read; only those on the web."""
    with db.begin() as connection:
        return sheet_facts.links(connection, run_id)


def link(links: SheetLinks, outcome: Outcome) -> str | None:
    """Return the address of the first cell with an issue, else of the row."""
    first = links.get(outcome.entity, "")
    before, found, _ = first.rpartition("range=")
    if not found:
        return None
    cells = [issue.cell for issue in outcome.issues if issue.cell]
    row = f"A{outcome.row_number}" if outcome.row_number else "A1"
    return f"{before}range={cells[0].rsplit('!', 1)[-1] if cells else row}"
