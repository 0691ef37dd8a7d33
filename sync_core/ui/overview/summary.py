"""The four figures at the top of the overview, of the whole organization."""

from dataclasses import dataclass

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.counting import ago, count
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import capitalized


@dataclass(frozen=True)
class Figure:
    """One figure of the summary."""

    icon: str
    label: str
    value: str
    caption: str


def show(state: RunState) -> None:
    """Show the figures."""
    figures = (_in_step(state), _running(state), _failed_rows(state), _last(state))
    st.html(render("summary", figures=figures))


def _in_step(state: RunState) -> Figure:
    names = list(resources.CATALOGUE)
    well = [name for name in names if state.in_step(name)]
    late = len(names) - len(well)
    caption = f"{late} not, or not yet" if late else "all as promised"
    return Figure("verified", "In step", f"{len(well)} of {len(names)}", caption)


def _running(state: RunState) -> Figure:
    active = [run for run in state.runs.values() if run.active]
    titles = (resources.CATALOGUE[run.resource].main.title for run in active)
    return Figure("sync", "Running now", f"{len(active)}", ", ".join(titles) or "nothing")


def _failed_rows(state: RunState) -> Figure:
    failed = [rows for name in resources.CATALOGUE if (rows := state.failed_rows(name))]
    caption = f"in {count(len(failed), 'resource')}" if failed else "every row came through"
    return Figure("build", "Rows to mend", f"{sum(failed):,}", caption)


def _last(state: RunState) -> Figure:
    at = {run.finished_at: run for run in state.runs.values() if run.finished_at}
    if not at:
        return Figure("history", "Last sync", "None yet", "the first one is a click away")
    latest = max(at)
    run = at[latest]
    title = resources.CATALOGUE[run.resource].main.title
    return Figure(
        "history", "Last sync", capitalized(ago(latest)), f"{title}, by {run.requested_by}"
    )
