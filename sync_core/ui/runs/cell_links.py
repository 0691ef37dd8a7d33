"""Where in the browser a cell of the source is seen, where there is such a place."""

from collections.abc import Mapping

import sqlalchemy as sa
import streamlit as st

from sync_core.foundation import db, tables
from sync_core.records.outcomes import Outcome
from sync_core.runs import Run

Links = Mapping[str, str]  # entity -> the address of its sheet's first cell


@st.cache_resource(ttl=600, max_entries=200, show_spinner=False)
def _kept(run_id: int) -> Links:
    kept = tables.checkpoints.c
    address = kept.sheet["link"].as_string()
    with db.begin() as connection:
        rows = connection.execute(sa.select(kept.entity, address).where(kept.run_id == run_id))
        return {entity: link for entity, link in rows if link}


def of_run(run: Run) -> Links:
    """Return the addresses of the sheets that the run read; only those on the web."""
    return _kept(run.id)


def link(links: Links, outcome: Outcome) -> str | None:
    """Return the address of the first cell with an issue, else of the row."""
    first = links.get(outcome.entity, "")
    before, found, _ = first.rpartition("range=")
    if not found:
        return None
    cells = [issue["cell"] for issue in outcome.issues or () if issue.get("cell")]
    row = f"A{outcome.row_number}" if outcome.row_number else "A1"
    return f"{before}range={cells[0].rsplit('!', 1)[-1] if cells else row}"
