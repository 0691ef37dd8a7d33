"""The progress of an active run: its steps, a bar, what it does now, and Cancel."""

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import ago
from sync_core.foundation.errors import SyncError
from sync_core.operations import syncs
from sync_core.runs import Run
from sync_core.ui.frame import run_state
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import time_left
from sync_core.ui.parts.words import look
from sync_core.ui.runs import notice, progress_panel, progress_words, run_log
from sync_core.ui.runs.progress_panel import Head


def show(here: Visitor, resource: Resource, run: Run, state: RunState) -> None:
    """Show all that is known of the run; the notice tells it in words, unless it was closed."""
    with st.container(border=True, gap="small", key=f"progress-{run.resource}"):
        st.html(_panel(here, resource, run, state))
        _cancel_button(here, run)
        run_log.show_live(here, run, state.logs.get(run.id, ()))


def _panel(here: Visitor, resource: Resource, run: Run, state: RunState) -> str:
    current, elapsed = progress_words.of(run, state), time_left.elapsed(run)
    lines = []
    if not state.noticed(run, here.person.email):
        lines.append(current.sentence or progress_words.waiting(run, state))
    if elapsed > time_left.LONG_SECONDS:
        lines.append("This takes longer than 5 minutes. It goes on, and you need not wait here.")
    left = time_left.words(run, current.percent, state.usual.get(run.resource))
    bands = resource.steps.bands
    name = f"Progress of {resource.title}"
    return progress_panel.html(name, _head(run), current, bands, elapsed, left, " ".join(lines))


def _head(run: Run) -> Head:
    run_look = look(run)
    icon = run_look.icon.removeprefix(":material/").removesuffix(":")
    return Head(run_look.word, icon, f"Started {ago(run.queued_at)} by {run.requested_by}")


def _cancel_button(here: Visitor, run: Run) -> None:
    if here.person.may("sync"):
        st.button(
            "Cancelling..." if run.cancelling else "Cancel",
            icon=":material/stop_circle:",
            type="tertiary",
            disabled=run.cancelling,
            key=f"cancel-{run.resource}",
            on_click=_cancel,
            args=(here, run),
        )


def _cancel(here: Visitor, run: Run) -> None:
    try:
        syncs.cancel(here.organization, run.id, here.person)
    except SyncError as error:
        notice.keep_refusal(run.resource, error)
    run_state.forget(here.organization.id)
