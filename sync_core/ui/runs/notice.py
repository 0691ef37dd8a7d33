"""The notification of a run: blue on its way, then green, amber or red, until it is closed."""

from collections.abc import Callable

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunKind
from sync_core.runs import Run
from sync_core.ui.frame import run_state
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal, look, moment
from sync_core.ui.runs import progress_words

TAB = "tab"  # of a resource page, in the session and in the address
NEEDS_A_PERSON = "Needs a person"
ALERTS = {"blue": st.info, "green": st.success, "orange": st.warning, "red": st.error}


def show(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show the notice of the resource's run, and of a click that was refused."""
    _show_refusal(resource.name)
    run = state.runs.get(resource.name)
    if run is None or not state.noticed(run, here.person.email):
        return
    title, body = _active(run, state) if run.active else _ended(run)
    _alert(
        f"notice-{resource.name}",
        look(run).color,
        title,
        body,
        look(run).icon,
        lambda: run_state.dismiss(run, here.person.email),
    )
    if run.status == "partial" and run.kind == RunKind.SYNC:
        _offer_rows(resource)
    if run.error_code:
        _offer_details(here, resource, run)


def keep_refusal(resource: str, error: SyncError) -> None:
    """Keep the sentence with which a click was refused, until it is read."""
    st.session_state[f"refused-{resource}"] = (error.sentence, error.advice)


def clear_refusal(resource: str) -> None:
    """Drop the sentence of a refused click."""
    st.session_state.pop(f"refused-{resource}", None)


def _show_refusal(resource: str) -> None:
    if refused := st.session_state.get(f"refused-{resource}"):
        title, body = map(literal, refused)
        icon = ":material/front_hand:"
        _alert(f"refusal-{resource}", "orange", title, body, icon, lambda: clear_refusal(resource))


def _active(run: Run, state: RunState) -> tuple[str, str]:
    if run.cancelling:
        return "Cancelling...", "Nothing will be changed."
    what = "Sync" if run.kind == RunKind.RETRY else run.kind.capitalize()
    title = f"{what} started..." if run.status == "queued" else f"{what} in progress..."
    if not state.has_live_progress:
        return title, literal(SyncError("no_live_progress").sentence)
    return title, progress_words.sentence(run, state)


def _ended(run: Run) -> tuple[str, str]:
    """Return what happened as title and body; the message says it, the advice what to do."""
    lines = [run.message, run.advice, *run.notes]
    return look(run).word, "\n\n".join(literal(line) for line in lines if line)


def _alert(
    key: str, color: str, title: str, body: str, icon: str, close: Callable[[], None]
) -> None:
    with st.container(horizontal=True, wrap=False, vertical_alignment="top", gap="xsmall", key=key):
        ALERTS.get(color, st.info)(body, title=title, icon=icon, width="stretch")
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=f"close-{key}",
            help="Close notification",
            on_click=close,
        )


def _offer_rows(resource: Resource) -> None:
    if st.button(
        "Show the rows that failed",
        icon=":material/arrow_forward:",
        type="tertiary",
        key=f"show-failed-{resource.name}",
        on_click=lambda: st.session_state.update({TAB: NEEDS_A_PERSON}),
    ):
        st.switch_page(page_file(resource.name))


def _offer_details(here: Visitor, resource: Resource, run: Run) -> None:
    with st.popover(
        "Copy details for support",
        icon=":material/content_copy:",
        type="tertiary",
        key=f"details-{run.id}",
    ):
        st.caption("Copy this and send it to whoever helps you.")
        st.code(details(here, resource, run), language=None, wrap_lines=True)


def details(here: Visitor, resource: Resource, run: Run) -> str:
    """Return what somebody who helps needs to know, one fact a line."""
    at = run.finished_at or run.queued_at
    lines = {
        "Page": resource.title,
        "Organization": f"{here.organization.name} ({here.organization.slug})",
        "Run": run.id,
        "Result": look(run).word,
        "Error": run.error_code,
        "Message": run.log_message or run.message,
        "Advice": run.advice,
        "Started by": f"{run.requested_by} <{run.requested_email}>",
        "Time": f"{moment(at, here.zone)} ({here.zone})",
    }
    return "\n".join(f"{label}: {value}" for label, value in lines.items() if value)
