"""The button that tries the failed rows of a run again, once somebody has mended them."""

import streamlit as st

from sync_core.foundation.counting import count
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus, Trigger
from sync_core.operations import syncs
from sync_core.records.read_again import ReadAgain
from sync_core.runs import Run, run_address
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


def tell(here: Visitor, again: ReadAgain) -> None:
    """Say in a link how many of the rows that failed in a run were fixed since, and where."""
    st.page_link(
        page_file(run_address.PAGE),
        label=_fixed(again),
        icon=":material/build:",
        query_params=run_address.parameters(here.organization.slug, again.by[-1]),
    )


def _fixed(again: ReadAgain) -> str:
    several = "s" if len(again.by) > 1 else ""
    runs = f"run{several} {listed([str(one) for one in again.by])}"
    if again.left is None:
        return f"All rows were read again since by {runs}. See there what still fails."
    told = f"{again.failed - again.left:,} of {count(again.failed, 'row')} fixed since by {runs}"
    if not again.is_sync:
        return f"{told}."
    if not again.left:
        return f"{told}, which read everything again."
    still = "1 still fails" if again.left == 1 else f"{again.left:,} still fail"
    return f"{told}, which read everything again. {still}: see there."


def _retry(here: Visitor, run: Run) -> None:
    try:
        syncs.retry(here.organization, run.id, here.person, Trigger.PAGE)
        notice.clear_refusal(run.resource)
    except SyncError as error:
        notice.keep_refusal(run.resource, error)
    run_state.forget(here.organization.id)
