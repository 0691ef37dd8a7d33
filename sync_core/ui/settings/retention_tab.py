"""Old values of an organization, for its administrators: they are dropped after one question."""

from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.errors import SyncError
from sync_core.operations import administration
from sync_core.organizations import retentions
from sync_core.ui.frame import error_box, form, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import day, moment

ANSWER = "retention-answer"  # session key: how the last drop ended, until it is shown
USUAL_DAYS, MOST_DAYS = 365, 36_500
GOES = "what stood in each row before and after, its name, and why it failed or was skipped"
STAYS = "the tables as they are, every run with its counts, which rows it touched, and who asked"


def show(here: Visitor) -> None:
    """Show the button that drops old values, and what it means."""
    _answer()
    st.caption(
        "Every sync keeps each value that it changed. What is too old to be kept can be deleted;"
        " the audit trail stays complete without it."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = st.number_input(
            "Older than (days)",
            min_value=1,
            max_value=MOST_DAYS,
            value=USUAL_DAYS,
            key="retention-days",
            width=220,
        )
        asked = st.button(
            f"Delete values older than {count(int(days), 'day')}",
            icon=":material/auto_delete:",
            key="ask-drop-values",
        )
    _by_itself(here)
    if asked:
        before = datetime.now(UTC) - timedelta(days=int(days))
        ask = partial(_ask, here, before)
        visitor.dialog(here, "Delete old values", ":material/auto_delete:", ask)


def _by_itself(here: Visitor) -> None:
    """Let an administrator say whether it is done each night, too."""
    with db.within(here.organization.id) as connection:
        decided = retentions.of(connection, here.organization.id)
    with st.container(border=True), st.form("retention", border=False):
        st.markdown("**Each night**")
        days = st.number_input(
            "Delete values older than (days)",
            min_value=1,
            max_value=MOST_DAYS,
            value=decided.days if decided else None,
            help="Blank: they are kept forever.",
            key="retention-each-night",
            width=320,
        )
        at = moment(decided.next_at, here.zone) if decided else ""
        st.caption(
            f"Next at {at}; each time is in the audit."
            if decided
            else "Nothing is deleted automatically."
        )
        if st.form_submit_button("Save", icon=":material/check:"):
            kept = int(days) if days else None
            form.save(lambda: administration.set_retention(here.organization, here.person, kept))


def _ask(here: Visitor, before: datetime) -> None:
    """Say what goes and what stays, and ask once."""
    on = day(before, here.zone)
    st.markdown(f"Of syncs that ended before **{on}**:")
    st.markdown(f"- **Deleted forever**: {GOES}.\n- **Kept**: {STAYS}.")
    st.warning(
        "What those syncs changed cannot be undone any more, and the history of a record does not"
        " know what it was before that day.",
        icon=":material/history_toggle_off:",
    )
    if st.button(
        "Drop them",
        icon=":material/auto_delete:",
        type="primary",
        key="drop-values",
        on_click=_drop,
        args=(here, before),
    ):
        st.rerun()


def _drop(here: Visitor, before: datetime) -> None:
    """Drop them; the next draw of the page tells what has become of it."""
    try:
        dropped = administration.drop_values(here.organization, here.person, before)
    except SyncError as error:
        st.session_state[ANSWER] = error
    else:
        st.session_state[ANSWER] = f"Values deleted: {count(dropped, 'row')}."


def _answer() -> None:
    answer = st.session_state.pop(ANSWER, None)
    if isinstance(answer, SyncError):
        error_box.show_sentence(answer)
    elif answer:
        st.toast(answer, icon=":material/check:")
