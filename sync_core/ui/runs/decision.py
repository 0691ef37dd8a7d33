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
WHAT_DECLINE_DOES = (
    "Nothing of this plan is applied, and its rows are deleted; their counts stay. The table stays"
    " as it is, and the next sync reads the source again."
)
WHAT_DECLINE_UNDO_DOES = (
    "Nothing is undone, and the rows of this plan are deleted; their counts stay. The table stays"
    " as it is, and you can ask for the undo again."
)
SEND_LINK = "*Copy link*, at the top of this page, gives the address to send to them."
FOUR_EYES = "Nobody approves a plan of their own here"
MOVED = "the source or one of these records has changed"
MOVED_UNDO = "one of these records has changed"


def offer(
    here: Visitor,
    run: Run,
    tallies: Tallies,
    place: str,
    tripped: Sequence[Tripped],
) -> None:
    """Show the buttons of who may decide; `place` tells them from those elsewhere on the page."""
    if not here.person.may("sync"):
        return
    if st.button(
        "Decline",
        icon=":material/close:",
        key=f"decline-{place}-{run.id}",
        help="Drop this plan. The tables stay as they are.",
    ):
        ask_why = partial(_ask_why, here, run)
        visitor.dialog(here, "Decline this plan", ":material/close:", ask_why)
    if tripped and not may_approve(here, run):
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


def explain(here: Visitor, run: Run, tripped: Sequence[Tripped]) -> None:
    """Say what the plan needs of whom, where that is not for the visitor to do."""
    if told := who_decides(here, run, tripped):
        st.info(f"{literal(told)} {SEND_LINK}", icon=":material/group:")


def who_decides(here: Visitor, run: Run, tripped: Sequence[Tripped]) -> str:
    """Return who decides on a plan, "" where it is the visitor."""
    may_sync = here.person.may("sync")
    if not tripped:
        return "" if may_sync else "An analyst or an administrator confirms or declines this plan."
    if may_sync and may_approve(here, run):
        return ""
    another = "Another analyst, or an administrator, approves it"
    if here.organization.four_eyes:
        another = f"{FOUR_EYES}: another analyst or administrator approves it"
    if is_own(here, run):
        own = f"You requested this, and a guard holds it back. {another}."
        return f"{own} You can decline it." if may_sync else own
    if run.trigger == Trigger.SCHEDULE:
        return "An analyst or an administrator approves or declines this plan."
    than = f"other than {run.requested_by}"
    if here.organization.four_eyes:
        return f"An analyst or an administrator {than} approves this plan."
    return f"An administrator, or an analyst {than}, approves this plan."


def is_own(here: Visitor, run: Run) -> bool:
    """Return whether the visitor asked for the run."""
    return run.requested_email.lower() == here.person.email.lower()


def may_approve(here: Visitor, run: Run) -> bool:
    """Return whether the visitor may approve what a guard holds back; the operation decides."""
    if not is_own(here, run):
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


def _ask_why(here: Visitor, run: Run) -> None:
    """Say what declining means, and ask once, with a reason for those who will wonder."""
    st.markdown(WHAT_DECLINE_UNDO_DOES if run.kind == RunKind.UNDO else WHAT_DECLINE_DOES)
    key = f"reason-{run.id}"
    st.text_area(
        "Reason (optional)",
        max_chars=syncs.LONGEST_REASON,
        height=80,
        key=key,
        placeholder="Such as: half of the sheet is missing",
    )
    st.caption("The reason stays in the audit and on the run's page. Name no patients in it.")
    if st.button(
        "Decline the plan",
        icon=":material/close:",
        type="primary",
        key=f"decline-{run.id}",
        on_click=_decline,
        args=(here, run, key),
    ):
        st.rerun()


def _decline(here: Visitor, run: Run, key: str) -> None:
    reason = str(st.session_state.get(key) or "")
    _decide(here, run, partial(syncs.decline, here.organization, run.id, here.person, reason))


def _verb(run: Run, tripped: Sequence[Tripped]) -> str:
    if run.kind == RunKind.UNDO:
        return "Undo now"
    return "Approve and apply" if tripped else "Confirm and apply"


def _decide(here: Visitor, run: Run, operation: Callable[[], Run]) -> None:
    """Do what somebody decided; why that is refused is kept, and told where the resource is."""
    try:
        operation()
        notice.clear_refusal(run.resource)
    except SyncError as error:
        notice.keep_refusal(run.resource, error)
    run_state.forget(here.organization.id)
