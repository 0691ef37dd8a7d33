"""The decision on a plan that waits: confirm it, or decline it."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import CHANGED, LEFT_OUT, RunKind
from sync_core.operations import syncs
from sync_core.runs import Run, Tallies
from sync_core.ui.frame import run_state
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal
from sync_core.ui.runs import notice, outcome_words

WHAT_UNDO_MEANS = (
    "The next sync brings the values of the source again: correct them there first, where they are"
    " wrong."
)
WHAT_CONFIRM_DOES = (
    "Exactly this is applied, all of it or nothing. Where the source or one of these records has"
    " changed since, nothing is, and the run says what has moved."
)


def offer(here: Visitor, run: Run, tallies: Tallies, place: str) -> None:
    """Show the buttons of who may decide; `place` tells them from those elsewhere on the page."""
    if not here.person.may("sync"):
        return
    st.button(
        "Decline",
        icon=":material/close:",
        key=f"decline-{place}-{run.id}",
        help="Drop this plan. The tables stay as they are.",
        on_click=_decide,
        args=(here, run, partial(syncs.cancel, here.organization, run.id, here.person)),
    )
    if st.button(
        "Confirm",
        icon=":material/check:",
        type="primary",
        key=f"ask-confirm-{place}-{run.id}",
    ):
        title = f"Undo run {run.undoes}" if run.kind == RunKind.UNDO else "Confirm this plan"
        dialog = st.dialog(title, icon=":material/check:")
        dialog(partial(_ask, here, run, tallies))()


def _ask(here: Visitor, run: Run, tallies: Tallies) -> None:
    """Say what will happen, and ask once."""
    for entity in resources.by_name(run.resource).entities:
        tally = tallies.get(entity.name, {})
        told = [
            f"{tally[kind]:,} {outcome_words.look(run, kind).word.lower()}"
            for kind in (*CHANGED, *LEFT_OUT)
            if tally.get(kind)
        ]
        st.markdown(f"**{literal(entity.title)}**: {', '.join(told) or 'nothing changes'}")
    if run.kind == RunKind.UNDO:
        st.warning(WHAT_UNDO_MEANS, icon=":material/sync_problem:")
    st.caption(WHAT_CONFIRM_DOES)
    confirm = partial(syncs.confirm, here.organization, run.id, here.person, "page")
    if st.button(
        "Undo now" if run.kind == RunKind.UNDO else "Confirm and apply",
        icon=":material/check:",
        type="primary",
        key=f"confirm-{run.id}",
        on_click=_decide,
        args=(here, run, confirm),
    ):
        st.rerun()


def _decide(here: Visitor, run: Run, operation: Callable[[], Run]) -> None:
    try:
        operation()
        notice.clear_refusal(run.resource)
    except SyncError as error:
        notice.keep_refusal(run.resource, error)
    run_state.forget(here.organization.id)
