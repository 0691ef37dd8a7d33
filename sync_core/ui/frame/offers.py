"""Places in organizations that are offered to whoever has signed in: taken, or declined."""

from collections.abc import Callable, Iterable

import streamlit as st

from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.ui.frame import error_box, visitor
from sync_core.ui.parts.words import ROLES, literal


def show(offered: Iterable[tuple[Organization, Person]]) -> None:
    """Show each place, with the buttons that take and decline it."""
    for organization, person in offered:
        with st.container(border=True, gap="xsmall", key=f"offer-{organization.slug}"):
            st.markdown(f"**{literal(organization.name)}** invites you as {ROLES[person.role]}.")
            with st.container(horizontal=True):
                for label, icon, answer in (
                    ("Accept", ":material/check:", visitor.accept),
                    ("Decline", ":material/close:", visitor.decline),
                ):
                    st.button(
                        label,
                        icon=icon,
                        key=f"{label.lower()}-{organization.slug}",
                        on_click=_answer,
                        args=(answer, organization),
                    )
    if error := st.session_state.pop("offer-answer", None):
        error_box.show_sentence(error)


def _answer(answer: Callable[[Organization], None], organization: Organization) -> None:
    try:
        answer(organization)
    except SyncError as error:  # it was taken back meanwhile
        st.session_state["offer-answer"] = error
