"""The page of runs: the latest ones, or the one that the address names, with all that is known."""

from functools import partial

import streamlit as st

from sync_core import runs
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.runs import Run, run_address, run_number
from sync_core.ui.frame import error_box, polling, visitor
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import page_head
from sync_core.ui.runs import first_sync, history_tab, run_in_full

MAX_LETTERS = 18  # of what stands there instead of a number, in the sentence that says so


def show() -> None:
    """Show the runs of the visitor's organization. Raises SyncError("no_permission")."""
    here = visitor.enter("read")
    asked = st.query_params.get(run_address.ID, "")
    if not asked:
        _show_latest(here)
        return
    try:
        run = _find(here, asked)
    except SyncError as error:
        _show_unknown(error)
        return
    run_in_full.show(here, run)


def _show_unknown(error: SyncError) -> None:
    """Say that there is no such run, and lead to those that there are."""
    _show_title()  # a sentence alone would not say which page this is
    error_box.show_sentence(error)
    st.button(
        "Open the history of runs", icon=":material/history:", key="all-runs", on_click=_forget
    )


def _forget() -> None:
    """Ask for no run: a link within the page would leave the browser's address as it is."""
    st.query_params.pop(run_address.ID, None)


def _show_latest(here: Visitor) -> None:
    _show_title()
    polling.follow(here)
    history_tab.show(here, begin=partial(first_sync.to_overview, here))


def _show_title() -> None:
    page_head.show("Runs", ":material/history:")


def _find(here: Visitor, asked: str) -> Run:
    """Find the run that the address names; in another organization of the visitor's, go there.

    Raises SyncError("unknown_run").
    """
    number = run_number.read(asked) or 0
    theirs = (here.organization, *here.choices)
    with db.within(*(one.id for one in theirs)) as connection:
        for one in theirs:
            try:
                run = runs.get(connection, one.id, number)
            except SyncError:
                continue
            if one.id == here.organization.id:
                return run
            st.query_params[ORGANIZATION] = one.slug
            st.rerun()
    raise SyncError("unknown_run", run=asked[:MAX_LETTERS])
