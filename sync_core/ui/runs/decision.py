"""The decision on a plan that waits: confirm it, or decline it."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import CHANGED, LEFT_OUT, RunKind, Trigger
from sync_core.operations import syncs
from sync_core.runs import Run, Tallies
from sync_core.runs.plans import Tripped
from sync_core.ui.frame import run_state, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import capitalized, literal
from sync_core.ui.runs import notice, outcome_words

WHAT_UNDO_MEANS = (
    "The next sync brings the values of the source again: correct them there first, where they are"
    " wrong."
)
WHAT_CONFIRM_DOES = "Exactly this is applied, all of it or nothing. Where {moved} since, nothing is"
MOVED = "the source or one of these records has changed"
MOVED_UNDO = "one of these records has changed"


def offer(
    here: Visitor, run: Run, tallies: Tallies, place: str, tripped: Sequence[Tripped]
) -> None:
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
    if tripped and not _may_approve(here, run):
        st.badge("Somebody else approves this", icon=":material/group:", color="gray")
        return
    if st.button(
        "Approve" if tripped else "Confirm",
        icon=":material/check:",
        type="primary",
        key=f"ask-confirm-{place}-{run.id}",
    ):
        title = "Approve this plan" if tripped else "Confirm this plan"
        title = f"Undo run {run.undoes}" if run.kind == RunKind.UNDO else title
        ask = partial(_ask, here, run, tallies, tripped)
        visitor.dialog(here, title, ":material/check:", ask)


def _may_approve(here: Visitor, run: Run) -> bool:
    """Return whether the visitor may approve what a guard holds back; the operation decides."""
    if run.requested_email.lower() != here.person.email.lower():
        return True
    return here.person.may("administer") and not here.organization.four_eyes


def _ask(here: Visitor, run: Run, tallies: Tallies, tripped: Sequence[Tripped]) -> None:
    """Say what will happen, and ask once."""
    for one in tripped:
        st.markdown(f":orange[:material/front_hand:] {literal(capitalized(one.sentence))}.")
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
    moved = MOVED_UNDO if run.kind == RunKind.UNDO else MOVED
    st.caption(f"{WHAT_CONFIRM_DOES.format(moved=moved)}, and the run says what has moved.")
    confirm = partial(syncs.confirm, here.organization, run.id, here.person, Trigger.PAGE)
    if st.button(
        _verb(run, tripped),
        icon=":material/check:",
        type="primary",
        key=f"confirm-{run.id}",
        on_click=_decide,
        args=(here, run, confirm),
    ):
        st.rerun()


def _verb(run: Run, tripped: Sequence[Tripped]) -> str:
    if run.kind == RunKind.UNDO:
        return "Undo now"
    return "Approve and apply" if tripped else "Confirm and apply"


def _decide(here: Visitor, run: Run, operation: Callable[[], Run]) -> None:
    try:
        operation()
        notice.clear_refusal(run.resource)
    except SyncError as error:
        notice.keep_refusal(run.resource, error)
    run_state.forget(here.organization.id)
