"""The strip under a title: how a resource stands, what is going on, how far it is, and Cancel.

It is always as high, so that nothing below it moves when a sync starts, goes on or ends. What else
there is to know opens below it, in a panel that is always as high, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import ago
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import WITHOUT_WORKER, RunKind, RunStatus
from sync_core.operations import syncs
from sync_core.runs import Run
from sync_core.ui.frame import run_state
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import Behind, RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import Look, icon_name, lasted, look
from sync_core.ui.runs import (
    history_tab,
    notice,
    progress_words,
    run_details,
)
from sync_core.ui.runs.head_line import Value

OPEN = "details"  # in the session and in the address: the resources whose details are open
UP_TO_DATE = Look("Up to date", ":material/check_circle:", "gray")
OVERDUE = Look("Overdue", ":material/hourglass_bottom:", "orange")
NOT_YET = Look("Not synced yet", ":material/radio_button_unchecked:", "gray")
READY = Look("Ready to sync", ":material/sync:", "gray")
STANDING = {Behind.NEVER: NOT_YET, Behind.OVERDUE: OVERDUE}
NO_WORKER = Look("No worker", ":material/engineering:", "orange")
REFUSED = Look("Not started", ":material/front_hand:", "orange")
KINDS = {RunKind.SYNC: "sync", RunKind.PREVIEW: "preview", RunKind.RETRY: "sync of fixed rows"}
TOO_LATE = Look("Not cancelled", ":material/front_hand:", "orange")


@dataclass(frozen=True)
class Strip:
    """What the strip says: a word in a colour, a text, and how full its bar is."""

    kind: str  # its CSS class, which is the colour
    icon: str
    word: str
    text: str
    percent: int = 0
    how_far: str = ""


def show(here: Visitor, resource: Resource, state: RunState, head: Sequence[Value]) -> None:
    """Show the strip of a resource; `head` is its last line."""
    run = state.runs.get(resource.name)
    strip = of(here, resource, state)
    with st.container(key=f"strip-{resource.name}", gap=None):
        st.html(render("status_strip", title=resource.title, strip=strip, head=head))
        with st.container(
            horizontal=True, gap="xsmall", vertical_alignment="center", key=f"acts-{resource.name}"
        ):
            _buttons(here, resource, run, state)
    if _is_open(resource.name):
        run_details.show(here, resource, run, state)


def of(here: Visitor, resource: Resource, state: RunState) -> Strip:
    """Return what the strip says: of a run on its way, of a click that was refused, of the end."""
    run = state.runs.get(resource.name)
    refused = notice.refusal(resource.name, run)
    if run and run.active:
        return _active(run, state, refused)
    if refused:
        return _strip(TOO_LATE if notice.cancel_was_refused(resource.name) else REFUSED, refused)
    if run and run.status == RunStatus.WAITING:
        return _strip(look(run), run.message)
    if run and state.noticed(run, here.person.email):
        return _ended(here, run)
    if state.problem and here.person.may("sync"):
        return _strip(NO_WORKER, state.problem)
    return _strip(_standing(resource.name, state), "")


def _strip(its: Look, text: str, percent: int = 0, how_far: str = "") -> Strip:
    icon = icon_name(its.icon)
    return Strip(its.color, icon, its.word, " ".join(text.split()), percent, how_far)


def _active(run: Run, state: RunState, refused: str) -> Strip:
    told = [refused] if refused else []
    if state.problem and run.status in WITHOUT_WORKER:
        told.append(state.problem)
    told.append(_under_way(run, state))
    percent = min(progress_words.of(run, state).percent, 100)
    how_far = [f"{percent}%", progress_words.left(run, state)]
    its = Look(_title(run), look(run).icon, "orange" if state.problem else "blue")
    return _strip(its, " · ".join(told), percent, " · ".join(one for one in how_far if one))


def _title(run: Run) -> str:
    if run.cancelling:
        return "Cancelling..."
    what = "Sync" if run.kind == RunKind.RETRY else run.kind.capitalize()
    return f"{what} started..." if run.status == RunStatus.QUEUED else f"{what} in progress..."


def _under_way(run: Run, state: RunState) -> str:
    if run.cancelling:
        return "Nothing will be changed."
    if not state.has_live_progress:
        return SyncError("no_live_progress").sentence
    return progress_words.sentence(run, state)


def _ended(here: Visitor, run: Run) -> Strip:
    text = " ".join(line for line in (run.message, notice.advice(here, run), *run.notes) if line)
    took = f"took {lasted(run.seconds)}" if run.seconds is not None else ""
    return _strip(look(run), text, 100, took)


def _standing(name: str, state: RunState) -> Look:
    """Return how a resource stands of which there is nothing to tell."""
    behind = state.behind(name)
    return STANDING.get(behind, READY) if behind else UP_TO_DATE


def _buttons(here: Visitor, resource: Resource, run: Run | None, state: RunState) -> None:
    """Show what can be done about what the strip says."""
    if run and run.active and here.person.may("sync"):
        _cancel_button(here, run)
    plans = state.plans_of(resource.name)
    if plans:  # which may be older than the last run
        _review_buttons(here, resource.name, plans)
    noticed = bool(run and state.noticed(run, here.person.email))
    failed = run == state.last_judged(resource.name) and state.failed_rows(resource.name)
    if noticed and failed and not plans:  # there is room for one: to decide comes first
        _failures_button(resource)
    _details_button(resource.name)
    _close_button(here, resource.name, run if noticed else None)


def _cancel_button(here: Visitor, run: Run) -> None:
    st.button(
        "Cancel",
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


def _review_buttons(here: Visitor, name: str, plans: Sequence[Run]) -> None:
    """Lead to the plan that waits, or to each of several."""
    if len(plans) == 1:
        _review_button(here, plans[0], "Review the plan", f"review-{name}")
        return
    label = f"{len(plans)} plans wait"
    with st.popover(label, icon=":material/checklist:", key=f"review-{name}"):
        for run in reversed(plans):
            _review_button(here, run, _called(run), f"review-{name}-{run.id}")


def _called(run: Run) -> str:
    """Return what a plan is called beside others: "Run 12: undo of run 9, 5 minutes ago"."""
    what = f"undo of run {run.undoes}" if run.kind == RunKind.UNDO else KINDS[run.kind]
    return f"Run {run.id}: {what}, {ago(run.queued_at)}"


def _review_button(here: Visitor, run: Run, label: str, key: str) -> None:
    if st.button(label, icon=":material/checklist:", key=key):
        history_tab.open_run(here, run.id)


def _failures_button(resource: Resource) -> None:
    if st.button(
        "Show the rows that failed",
        icon=":material/arrow_forward:",
        type="tertiary",
        key=f"show-failed-{resource.name}",
        on_click=lambda: st.session_state.update({notice.TAB: notice.NEEDS_ATTENTION}),
    ):
        st.switch_page(page_file(resource.name))


def _details_button(name: str) -> None:
    st.button(
        "Details",
        icon=f":material/{'expand_less' if _is_open(name) else 'expand_more'}:",
        icon_position="right",
        type="tertiary",
        key=f"details-{name}",
        on_click=_turn,
        args=(name,),
    )


def _close_button(here: Visitor, name: str, noticed: Run | None) -> None:
    """Show the X of what can be closed, for this person alone."""
    if notice.refusal(name, noticed):
        key, close = f"close-refusal-{name}", lambda: notice.clear_refusal(name)
    elif noticed:
        key, close = f"close-notice-{name}", lambda: run_state.dismiss(noticed, here.person.email)
    else:
        return
    st.button(
        "Close notification", icon=":material/close:", type="tertiary", key=key, on_click=close
    )


def _is_open(name: str) -> bool:
    return name in st.session_state.setdefault(OPEN, set(st.query_params.get_all(OPEN)))


def _turn(name: str) -> None:
    """Open or close the details, and keep it in the address for a reload."""
    st.session_state[OPEN] ^= {name}
    st.query_params[OPEN] = sorted(st.session_state[OPEN])
