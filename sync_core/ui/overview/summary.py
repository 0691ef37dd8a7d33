"""The four figures at the top of the overview, of the whole organization."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.counting import ago, count
from sync_core.foundation.vocabulary import WITHOUT_WORKER, RunKind
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import capitalized, listed

FIT = 2  # names on the line below a figure
NOT_KNOWN = "–"  # noqa: RUF001 - the dash that people write where there is nothing


@dataclass(frozen=True)
class Figure:
    """One figure of the summary."""

    icon: str
    label: str
    value: str
    caption: str


def show(state: RunState, *, has_made_up: bool) -> None:
    """Show the figures: of real runs alone, which is said where there are made-up ones besides."""
    none_yet = "only made-up runs so far" if has_made_up else "nothing was synced yet"
    figures = (
        _up_to_date(state, none_yet),
        _running(state),
        _failed_rows(state),
        _last(state, none_yet),
    )
    st.html(render("summary", figures=figures))


def _up_to_date(state: RunState, none_yet: str) -> Figure:
    names = list(resources.CATALOGUE)
    late = [resources.CATALOGUE[name].title for name in names if state.behind(name)]
    if not state.runs:
        return Figure("verified", "Up to date", f"0 of {len(names)}", none_yet)
    failed = sum(map(state.failed_rows, names))
    told = f"on time, {count(failed, 'row')} to fix" if failed else "all on time"
    if late:
        told = f"not {_shortly(late)}"
    return Figure("verified", "Up to date", f"{len(names) - len(late)} of {len(names)}", told)


def _running(state: RunState) -> Figure:
    active = [run for run in state.runs.values() if run.active]
    waiting = [run for run in active if run.status in WITHOUT_WORKER]
    running = [run for run in active if run not in waiting]
    told = [resources.CATALOGUE[run.resource].title for run in running]
    told += [f"{len(waiting)} waiting for a worker"] if waiting else []
    return Figure("sync", "Running now", f"{len(running)}", _shortly(told) or "nothing")


def _shortly(names: Sequence[str]) -> str:
    """Name the first, and how many more there are: a figure keeps its height."""
    if len(names) > FIT:
        return f"{names[0]} and {len(names) - 1} more"
    return listed(names) if names else ""


def _failed_rows(state: RunState) -> Figure:
    failed = [rows for name in resources.CATALOGUE if (rows := state.failed_rows(name))]
    if not state.fresh:
        return Figure("build", "Rows to fix", NOT_KNOWN, "known after the first sync")
    caption = f"in {count(len(failed), 'resource')}" if failed else "no row failed"
    return Figure("build", "Rows to fix", f"{sum(failed):,}", caption)


def _last(state: RunState, none_yet: str) -> Figure:
    """Return when rows were last synced, be it that only those that had failed were tried again."""
    retries = (run for some in state.retries.values() for run in some)
    at = {run.finished_at: run for run in (*state.fresh.values(), *retries) if run.finished_at}
    if not at:
        return Figure(
            "history", "Last sync", NOT_KNOWN, "none succeeded yet" if state.runs else none_yet
        )
    latest = max(at)
    run = at[latest]
    what = resources.CATALOGUE[run.resource].title
    what += ", partly" if run.partly else ""
    what += ", failed rows retried" if run.kind == RunKind.RETRY else ""
    return Figure(
        "history", "Last sync", capitalized(ago(latest)), f"{what}, by {run.requested_by}"
    )
