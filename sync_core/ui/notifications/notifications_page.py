"""My notifications: what somebody is told, of which resources, and whether by mail."""

import streamlit as st

from sync_core.foundation import db, settings
from sync_core.notifications import wishes
from sync_core.notifications.wishes import Wish
from sync_core.operations import notifications
from sync_core.ui.frame import form, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import page_head, wish_fields
from sync_core.ui.parts.words import literal

ABOUT = (
    "You are told once when a state changes, and once when it is over; not of each run. The pages"
    " always tell you how the syncs ended that you started yourself."
)
NO_MAILS = "Mails are not set up here. Ask an administrator for them."
HOW_TO_MAIL = "Mails are not set up here. The README says how, under Settings."


def show() -> None:
    """Show the form. Raises SyncError("no_permission")."""
    here = visitor.enter("read")
    page_head.show("My notifications", ":material/notification_settings:")
    st.caption(ABOUT)
    with db.within(here.organization.id) as connection:
        kept = wishes.of_person(connection, here.organization.id, here.person)
    _form(here, kept)
    _try(here)


def _form(here: Visitor, kept: Wish) -> None:
    with st.container(border=True), st.form("wish", border=False):
        kinds = wish_fields.kinds("mine", kept.kinds)
        of = wish_fields.some_resources("mine", kept.resources)
        to = f"To {literal(here.person.email)}. A digest comes by mail in any case."
        by_mail = st.toggle("Also by mail", kept.by_mail, help=to)
        rows = st.toggle(
            "With the failed rows as a file, as you may see them",
            kept.failed_rows,
            disabled=not (here.person.may("sync") or here.person.may("export")),
        )
        pace = wish_fields.pace("mine", kept.digest)
        if st.form_submit_button("Save", type="primary", icon=":material/save:"):
            wanted = Wish(kinds, of, by_mail, rows, pace)
            form.save(lambda: notifications.wish(here.organization, here.person, wanted))


def _try(here: Visitor) -> None:
    if settings.current().mail_server is None:
        st.caption(HOW_TO_MAIL if here.person.may("administer") else NO_MAILS)
    elif st.button("Send a test mail", icon=":material/outgoing_mail:", key="test-mail"):
        form.save(lambda: notifications.try_mail(here.organization, here.person))
