"""Where the organization as a whole is told, and what became of each message."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import ChannelKind, MessageForm
from sync_core.notifications import channels, outbox, words
from sync_core.notifications.channels import Channel
from sync_core.notifications.outbox import Message
from sync_core.notifications.wishes import Wish
from sync_core.operations import notifications
from sync_core.ui.frame import form
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, wish_fields
from sync_core.ui.parts.words import literal, moment

KINDS: dict[ChannelKind, str] = {
    ChannelKind.EMAIL: "E-mail",
    ChannelKind.SLACK: "Slack",
    ChannelKind.TEAMS: "Teams",
    ChannelKind.GOOGLE_CHAT: "Google Chat",
    ChannelKind.WEBHOOK: "Webhook",
}
FORMS = {MessageForm.DIGEST: "Digest", MessageForm.TEST: "Test"}
MESSAGES = 50  # the newest ones


def show(here: Visitor) -> None:
    """Show the channels, a form for another one, and the outbox."""
    with db.begin() as connection:
        found = channels.everyone(connection, here.organization.id)
        messages = outbox.latest(connection, here.organization.id, MESSAGES)
    _mails()
    picked = _channels(here, found)
    if picked:
        _chosen(here, picked)
    _new(here)
    _outbox(here, messages, {one.id: one.name for one in found})


def _mails() -> None:
    current = settings.current()
    if current.mail_server:
        st.caption(f"Mails come from {literal(current.mail_from)}.")
    else:
        st.caption("No mail is sent: SYNCDESK_MAIL_SERVER is not set; the README says how.")


def _channels(here: Visitor, found: Sequence[Channel]) -> Channel | None:
    if not found:
        more = "People are told by themselves; a channel tells a whole team."
        paging.show_empty(":material/campaign:", "There is no channel.", more)
        return None
    event = st.dataframe(
        pd.DataFrame(
            [
                [one.name, KINDS[one.kind], _where(here, one), wish_fields.in_words(one.wish)]
                for one in found
            ],
            columns=["Name", "Kind", "Where", "Told of"],
        ),
        hide_index=True,
        height=paging.height(len(found)),
        row_height=paging.ROW_PIXELS,
        on_select="rerun",
        selection_mode="single-row",
        key="channels",
        alt=f"Channels of {here.organization.name}",
    )
    rows = event.selection.rows
    return found[rows[0]] if rows and rows[0] < len(found) else None


def _where(here: Visitor, channel: Channel) -> str:
    """Return where a channel leads, or which variable says so, and whether it is set."""
    variable = channels.variable(here.organization, channel.name, channel.kind)
    if variable is None:
        return channel.location
    state = "set" if channels.secret(here.organization, channel) else "not set"
    return f"{channel.location} {variable} is {state}".strip()


def _chosen(here: Visitor, channel: Channel) -> None:
    name = literal(channel.name)
    with st.container(horizontal=True):
        if st.button(f"Send a test to {name}", icon=":material/send:", key="test-channel"):
            form.save(lambda: notifications.try_channel(here.organization, here.person, channel.id))
        if st.button(f"Remove {name}", icon=":material/delete:", key="remove-channel"):
            form.save(
                lambda: notifications.remove_channel(here.organization, here.person, channel.id)
            )


def _new(here: Visitor) -> None:
    with st.container(border=True), st.form("channel", border=False):
        st.markdown("**Add a channel**")
        st.caption(
            "The addresses of Slack, Teams and Google Chat are secrets, as is the key that signs"
            " for a webhook: they stand in the environment of the program, under a name that is"
            " told here afterwards."
        )
        with st.container(horizontal=True):
            name = st.text_input("Name", placeholder="ops", key="channel-name")
            kind = st.selectbox(
                "Kind", list(KINDS), format_func=KINDS.__getitem__, key="channel-kind"
            )
            location = st.text_input(
                "Address",
                placeholder="team@example.org, https://example.org/hook",
                help="Of an e-mail or a webhook; blank for the others.",
                key="channel-address",
            )
        kinds = wish_fields.kinds("channel", wish_fields.KINDS.keys() - wish_fields.BY_WISH)
        of = wish_fields.some_resources("channel", None)
        pace = wish_fields.pace("channel", Wish().digest)
        added = st.form_submit_button("Add", type="primary", icon=":material/add:")
    if added:
        wanted = Wish(kinds, of, digest=pace)
        form.save(
            lambda: notifications.add_channel(
                here.organization, here.person, name.strip(), kind, location, wanted
            )
        )


def _outbox(here: Visitor, messages: Sequence[Message], names: Mapping[int, str]) -> None:
    st.markdown("**Messages**")
    if not messages:
        st.caption("There is none yet.")
        return
    st.dataframe(
        pd.DataFrame(
            [
                [
                    moment(one.newest_at, here.zone),
                    one.address.email or names.get(one.address.channel_id or 0, ""),
                    _what(one),
                    _state(here, one),
                    one.tries,
                    one.last_error,
                ]
                for one in messages
            ],
            columns=["Time", "To", "What", "State", "Tries", "Last error"],
        ),
        hide_index=True,
        height=paging.height(len(messages)),
        row_height=paging.ROW_PIXELS,
        key="messages",
        alt=f"Messages of {here.organization.name}",
    )
    st.caption(f"The newest {MESSAGES}. What cannot be delivered is tried again for a day.")


def _what(message: Message) -> str:
    if message.content.form in FORMS:
        return FORMS[message.content.form]
    newest = message.content.items[-1]
    more = len(message.content.items) - 1
    title = words.title(newest.kind, newest.resource)
    return f"{title}, and {more} more" if more else title


def _state(here: Visitor, message: Message) -> str:
    if message.sent_at:
        return f"Sent {moment(message.sent_at, here.zone)}"
    if message.given_up_at:
        return f"Given up {moment(message.given_up_at, here.zone)}"
    return f"Goes {moment(message.due_at, here.zone)}"
