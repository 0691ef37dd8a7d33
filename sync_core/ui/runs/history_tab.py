"""The earlier runs of a resource, with one of them in full."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from sync_core import runs
from sync_core.catalogue.resource import Resource
from sync_core.foundation import db
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.runs import Run, Tallies
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import figures, paging
from sync_core.ui.parts.words import LOOKS, MOMENT_FORMAT, lasted, origin
from sync_core.ui.runs import notice, run_in_full
from sync_core.ui.runs.run_in_full import RUN

MAX_RUNS = 50
TITLE = "History"  # of the tab


def show(here: Visitor, resource: Resource) -> None:
    """Show the latest runs; the one that is chosen opens below."""
    with db.begin() as connection:
        found = runs.history(connection, here.organization.id, resource.name, MAX_RUNS)
        tallies = runs.tallies(connection, [run.id for run in found])
    if not found:
        more = "Every run stays here: who asked for it, when, and how it ended."
        paging.show_empty(":material/history:", "There are no runs yet.", more)
        return
    figures.show_durations(found, here.zone, f"durations-{resource.name}")
    chosen = _table(here, found, tallies, resource.name)
    st.caption("Choose a run to see it in full.")
    if chosen is not None:
        run_in_full.show(here, chosen, tallies.get(chosen.id, {}))
    elif st.query_params.get(RUN, "").isdigit():
        run_in_full.show_by_id(here, int(st.query_params[RUN]))


def address(run: Run) -> dict[str, str]:
    """Return the parameters by which the page of the run's resource opens the run."""
    return {notice.TAB: TITLE, RUN: str(run.id)}


def _table(
    here: Visitor,
    found: Sequence[Run],
    tallies: Mapping[int, Tallies],
    name: str,
) -> Run | None:
    rows = [_row(here, run, tallies.get(run.id, {})) for run in found]
    columns = st.column_config
    looks = list({look.word: look.color for look in LOOKS.values()}.items())
    event = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=paging.height(min(len(rows), 10)),
        row_height=paging.ROW_PIXELS,
        on_select="rerun",
        selection_mode="single-row",
        key=f"history-{name}",
        column_config={
            "When": columns.DatetimeColumn(format=MOMENT_FORMAT),
            "Result": columns.MultiselectColumn(
                options=[word for word, _ in looks], color=[color for _, color in looks]
            ),
            "Message": columns.TextColumn(width="large"),
        },
        placeholder="",
        alt="Earlier runs",
    )
    picked = event.selection.rows
    return found[picked[0]] if picked and picked[0] < len(found) else None


def _row(here: Visitor, run: Run, tallies: Tallies) -> dict[str, object]:
    counted = {
        kind.capitalize(): sum(tally[kind] for tally in tallies.values()) if tallies else None
        for kind in OutcomeKind
    }
    return {
        "When": run.queued_at.astimezone(here.zone),
        "Result": [LOOKS[run.status].word],
        "By": run.requested_by,
        "Team": run.requested_team,
        "Started": origin(run.origin) + (", late" if run.late else ""),
        "Took": lasted(run.seconds) if run.seconds is not None else None,
        **counted,
        "Message": run.message,
        "Run": run.id,
    }
