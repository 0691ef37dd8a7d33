"""How a run went: its phases, and the attempts at it."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.runs import Run, attempts, traffic
from sync_core.runs.attempts import Attempt
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import SECOND_FORMAT, lasted, size

PHASE_ORDER = {name: index for index, name in enumerate(("downloading", "processing", "saving"))}


def show_phases(run: Run) -> None:
    """Show how long the run waited, and how long each of its phases took."""
    parts = []
    if run.started_at:
        parts.append(f"waited {lasted((run.started_at - run.queued_at).total_seconds())}")
    order = sorted(
        run.phases.items(), key=lambda phase: PHASE_ORDER.get(phase[0], len(PHASE_ORDER))
    )
    parts += [f"{name} {lasted(seconds)}" for name, seconds in order]
    if parts:
        st.caption(f":material/timeline: {', '.join(parts).capitalize()}.")


def show_traffic(run: Run) -> None:
    """Show how much was read of the sources, and with how many requests."""
    with db.begin() as connection:
        taken = traffic.of_run(connection, run.id)
    if taken.bytes:
        asked = f" with {count(taken.requests, 'request')}" if taken.requests else ""
        st.caption(f":material/download: {size(taken.bytes)} read{asked}.")


def read(run: Run) -> Sequence[Attempt]:
    """Return the attempts at the run, with their logs."""
    with db.begin() as connection:
        return attempts.of_run(connection, run.id)


def show(here: Visitor, run: Run, found: Sequence[Attempt]) -> None:
    """Show the attempts at the run: by which worker, when, and how each ended."""
    if not found:
        return
    with st.expander("Attempts", icon=":material/replay:"):
        rows = [
            {
                "Attempt": one.attempt,
                "Worker": one.worker,
                "Started": one.started_at.astimezone(here.zone),
                "Ended": one.ended_at.astimezone(here.zone) if one.ended_at else None,
                "How it ended": one.ended or "it works on it",
            }
            for one in found
        ]
        at = st.column_config.DatetimeColumn(format=SECOND_FORMAT)
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            row_height=paging.ROW_PIXELS,
            column_config={"Started": at, "Ended": at},
            key=f"attempts-{run.id}",
            placeholder="",
            alt="Attempts at the run",
        )
