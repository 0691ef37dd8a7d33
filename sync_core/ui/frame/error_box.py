"""What a visitor sees when something goes wrong: one sentence, never a trace."""

import logging

import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.ui.parts import page_head
from sync_core.ui.parts.words import literal

RETRY_SECONDS = 2  # between two looks whether the database is back

log = logging.getLogger(__name__)


def show(error: Exception) -> bool:
    """Show an error as a sentence with its advice; returns True: Streamlit has nothing to add."""
    if of_postgres := db.as_sync_error(error):
        log.warning("Postgres: %s", type(error).__name__)
        show_sentence(of_postgres)
        if db.is_away(error):  # a full one answers: the page would be drawn again without end
            st.fragment(run_every=RETRY_SECONDS)(_rerun_when_back)()
    elif isinstance(error, SyncError) and error.code == "no_permission":
        _show_no_access(error)
    elif isinstance(error, SyncError):
        show_sentence(error)
    else:
        log.error("a page failed", exc_info=error)
        st.error(
            "Reload the page. If it happens again, tell the developers what you did.",
            title="Something unexpected happened on this page.",
            icon=":material/error:",
        )
    return True


def _show_no_access(error: SyncError) -> None:
    """Say calmly that a page is not for this role; nothing went wrong."""
    page_head.show("No access", ":material/lock:")
    st.markdown(literal(error.sentence))
    st.caption(literal(error.advice))


def show_sentence(error: SyncError) -> None:
    """Show the sentence of an error and what to do about it."""
    st.error(literal(error.advice), title=literal(error.sentence), icon=":material/error:")


def _rerun_when_back() -> None:
    """Show the page again as soon as the database answers."""
    if db.answers():
        st.rerun()
