"""What a person is told beside a run: why a click was refused, and what helps who helps them."""

from datetime import UTC, datetime

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.foundation.errors import ADMINISTRATOR, CATALOGUE, SyncError
from sync_core.runs import Run
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import copy_link
from sync_core.ui.parts.words import look, moment

TAB = "tab"  # of a resource page, in the session and in the address
NEEDS_ATTENTION = "Needs attention"
TO_EVERYBODY = ("Ask ", "Copy ", "Tell ")  # advice that tells whom to ask


def keep_refusal(resource: str, error: SyncError) -> None:
    """Keep the sentences with which a click was refused, until they are read."""
    told = f"{error.sentence} {error.advice}"
    st.session_state[f"refused-{resource}"] = (told, datetime.now(UTC), error.code)


def clear_refusal(resource: str) -> None:
    """Drop the sentences of a refused click."""
    st.session_state.pop(f"refused-{resource}", None)


def refusal(resource: str, run: Run | None = None) -> str:
    """Return with which sentences the last click was refused; "" where none was.

    Once the run has ended that was going on then, they are out of date.
    """
    told, at, _ = st.session_state.get(f"refused-{resource}", ("", None, ""))
    is_old = at and run and run.finished_at and run.finished_at > at
    return "" if is_old else str(told)


def cancel_was_refused(resource: str) -> bool:
    """Return whether the last click that was refused asked for a cancel."""
    _, _, code = st.session_state.get(f"refused-{resource}", ("", None, ""))
    return bool(code == "already_ended")


def advice(here: Visitor, run: Run) -> str:
    """Return what to do about a run, as its reader can: what only administrators can, they ask."""
    entry = CATALOGUE.get(run.error_code or "")
    theirs = entry is not None and entry.who == ADMINISTRATOR
    if not theirs or here.person.may("administer") or run.advice.startswith(TO_EVERYBODY):
        return run.advice
    return "Copy the details and ask an administrator to fix this."


def offer_details(here: Visitor, resource: Resource, run: Run) -> None:
    """Offer what somebody who helps needs to know, to be copied."""
    with st.popover(
        "Copy details for support",
        icon=":material/support:",
        key=f"details-{run.id}",
    ):
        text = details(here, resource, run)
        st.caption("Copy this and send it to the person who helps you.")
        st.code(text, language=None, wrap_lines=True)
        copy_link.offer_text("Copy details", text, key=f"copy-details-{run.id}")


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
