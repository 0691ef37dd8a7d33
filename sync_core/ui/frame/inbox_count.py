"""What a visitor has not read of their inbox: counted for the bell of every page."""

import streamlit as st

from sync_core.foundation import db
from sync_core.notifications import notices
from sync_core.organizations.people import Person
from sync_core.ui.frame.visitor import Visitor

PAGE = "inbox"  # its address
COUNT_SECONDS = 600  # for which a count serves, unless anybody is told anything


def unread(here: Visitor, newest: int) -> int:
    """Return how many notices the visitor has not read, up to the newest that anybody has."""
    return _unread(here.organization.id, here.person, newest)


@st.cache_resource(
    ttl=COUNT_SECONDS, max_entries=1_000, show_spinner=False, hash_funcs={Person: repr}
)
def _unread(organization_id: int, person: Person, newest: int) -> int:
    with db.within(organization_id) as connection:
        return notices.unread(connection, organization_id, person, newest)


def read(here: Visitor, notice: int | None = None) -> None:
    """Note that the visitor has read a notice, on all their devices; None: all of them."""
    with db.within(here.organization.id) as connection:
        some = None if notice is None else [notice]
        notices.mark_read(connection, here.organization.id, here.person, some)
    _unread.clear()


def read_run(here: Visitor, run_id: int, newest: int) -> None:
    """Note that the visitor has read what they were told of a run, where anything is unread."""
    if unread(here, newest):
        with db.within(here.organization.id) as connection:
            notices.mark_run_read(connection, here.organization.id, here.person, run_id)
        _unread.clear()
