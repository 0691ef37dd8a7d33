"""The button that tries the failed rows of a run again, once somebody has mended them."""

import streamlit as st

from sync_core.foundation.counting import count
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus, Trigger
from sync_core.operations import syncs
from sync_core.runs import Run, run_address
from sync_core.runs.retries import TriedAgain
from sync_core.ui.frame import run_state
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import listed
from sync_core.ui.runs import notice


def offer(here: Visitor, run: Run) -> None:
    """Show the button to those who may sync, where rows of the run have failed."""
    if run.status == RunStatus.PARTIAL and here.person.may("sync"):
        st.button(
            "Sync the fixed rows",
            icon=":material/build:",
            key=f"retry-{run.id}",
            help="Read the source again, and apply only the rows that had failed."
            " Nothing is removed.",
            on_click=_retry,
            args=(here, run),
        )


def tell(here: Visitor, again: TriedAgain) -> None:
    """Say in a link how many of the rows that failed in a run its retries have fixed."""
    runs = f"run{'s' if len(again.by) > 1 else ''} {listed([str(one) for one in again.by])}"
    fixed = f"{again.failed - again.left:,} of {count(again.failed, 'row')}"
    st.page_link(
        page_file(run_address.PAGE),
        label=f"{fixed} fixed since by {runs}.",
        icon=":material/build:",
        query_params=run_address.parameters(here.organization.slug, again.by[-1]),
    )


def _retry(here: Visitor, run: Run) -> None:
    try:
        syncs.retry(here.organization, run.id, here.person, Trigger.PAGE)
        notice.clear_refusal(run.resource)
    except SyncError as error:
        notice.keep_refusal(run.resource, error)
    run_state.forget(here.organization.id)
