"""What a visitor sees when something goes wrong: one sentence, never a trace."""

import logging

import sqlalchemy as sa
import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.ui.parts.words import literal

AGAIN = 2  # seconds between two looks whether the database is back
GONE = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)

log = logging.getLogger(__name__)


def show(error: Exception) -> bool:
    """Show an error as a sentence with its advice; returns True: there is nothing to add."""
    if isinstance(error, GONE):
        log.warning("Postgres does not answer: %s", type(error).__name__)
        say(SyncError("database_down"))
        st.fragment(run_every=AGAIN)(_come_back)()
    elif isinstance(error, SyncError):
        say(error)
    else:
        log.error("a page failed", exc_info=error)
        st.error(
            "Reload the page. If it happens again, tell the developers what you did.",
            title="Something unexpected happened on this page.",
            icon=":material/error:",
        )
    return True


def say(error: SyncError) -> None:
    """Show the sentence of an error and what to do about it."""
    st.error(literal(error.advice), title=literal(error.sentence), icon=":material/error:")


def _come_back() -> None:
    """Show the page again as soon as the database answers."""
    try:
        with db.begin() as connection:
            connection.execute(sa.select(1))
    except GONE:
        return
    st.rerun()
