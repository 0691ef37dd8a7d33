"""Where the organization as a whole is told, and what became of each message."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import ChannelKind, MessageForm
from sync_core.notifications import channels, outbox, words
from sync_core.notifications.channels import Channel
from sync_core.notifications.outbox import Message
from sync_core.notifications.wishes import Wish
from sync_core.operations import notifications
from sync_core.ui.frame import asking, form
from sync_core.ui.frame.asking import Question
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import drawer, paging, row_table, wish_fields
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import literal, moment

KINDS: dict[ChannelKind, str] = {
    ChannelKind.EMAIL: "E-mail",
    ChannelKind.SLACK: "Slack",
    ChannelKind.TEAMS: "Teams",
    ChannelKind.GOOGLE_CHAT: "Google Chat",
    ChannelKind.WEBHOOK: "Webhook",
}
FORMS = {MessageForm.DIGEST: "Digest", MessageForm.TEST: "Test"}
CHANNEL = "channel"  # in the address: the name of the one that is opened
COLUMNS = ("Name", "Kind", "Where", "Told of")
MESSAGES = 50  # the newest ones


def show(here: Visitor) -> None:
    """Show the channels, a form for another one, and the outbox."""
    with db.within(here.organization.id) as connection:
        found = channels.everyone(connection, here.organization.id)
        messages = outbox.latest(connection, here.organization.id, MESSAGES)
    _mails()
    _channels(here, found)
    _new(here)
    _outbox(here, messages, {one.id: one.name for one in found})
    asked = st.query_params.get(CHANNEL)
    for one in found:
        if one.name == asked:
            shown = partial(_show, here, one)
            drawer.show(here, one.name, ":material/campaign:", shown, (CHANNEL,))


def _mails() -> None:
    current = settings.current()
    if current.mail_server:
        st.caption(f"Mails come from {literal(current.mail_from)}.")
    else:
        st.caption("No mail is sent: no mail server is set. The README says how.")


def _channels(here: Visitor, found: Sequence[Channel]) -> None:
    """Show all channels; the address names the one that is opened."""
    if not found:
        more = "People are told by themselves; a channel tells a whole team."
        paging.show_empty(":material/campaign:", "There is no channel.", more)
        return
    kinds = ("pinned first", "brief", "", "wide")
    columns = [Column(label, kind) for label, kind in zip(COLUMNS, kinds, strict=True)]
    rows = [Row(one.name, list(map(Cell, _cells(here, one)))) for one in found]
    alt = f"Channels of {here.organization.name}"
    opened = row_table.show(Table(columns, rows, cards=True), key="channels", alt=alt)
    if opened is not None:
        st.query_params[CHANNEL] = opened


def _cells(here: Visitor, one: Channel) -> tuple[str, ...]:
    return one.name, KINDS[one.kind], _where(here, one), wish_fields.in_words(one.wish)


def _where(here: Visitor, channel: Channel) -> str:
    """Return where a channel leads, or which variable says so, and whether it is set."""
    variable = channels.variable(here.organization, channel.name, channel.kind)
    if variable is None:
        return channel.location
    state = "set" if channels.secret(here.organization, channel) else "not set"
    return f"{channel.location} {variable} is {state}".strip()


def _show(here: Visitor, channel: Channel) -> None:
    """Show all that is known of a channel, and offer a test, and to remove it."""
    known = dict(zip(COLUMNS[1:], map(literal, _cells(here, channel)[1:]), strict=True))
    st.table(known, border="horizontal")
    if st.button("Send a test", icon=":material/send:", key="test-channel"):
        test = partial(notifications.try_channel, here.organization, here.person, channel.id)
        form.save(test, (CHANNEL,))
    question = Question(
        title=f"Remove {channel.name}?",
        means="Nothing is sent there any more. Undo adds it again.",
        verb=f"Remove {channel.name}",
        done=f"The channel {channel.name} was removed.",
        icon=":material/delete:",
        chosen_by=(CHANNEL,),
    )
    remove = partial(notifications.remove_channel, here.organization, here.person, channel.id)
    again = partial(
        notifications.add_channel,
        here.organization,
        here.person,
        channel.name,
        channel.kind,
        channel.location,
        channel.wish,
    )
    asking.offer(question, remove, again, key="remove-channel")


def _new(here: Visitor) -> None:
    with st.container(border=True), st.form("channel", border=False):
        st.markdown("**Add a channel**")
        st.caption(
            "The addresses of Slack, Teams and Google Chat are secrets, as is the key that signs"
            " for a webhook: set them in the environment of the program, under the name that is"
            " shown here afterwards."
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
    columns = (
        Column("Time", "brief"),
        Column("To"),
        Column("What"),
        Column("State", "brief"),
        Column("Tries", "number"),
        Column("Last error", "wide first"),
    )
    rows = [Row("", list(map(Cell, _message(here, one, names)))) for one in messages]
    alt = f"Messages of {here.organization.name}"
    row_table.show(Table(columns, rows, cards=True), key="messages", alt=alt)
    st.caption(f"The newest {MESSAGES}. What cannot be delivered is tried again for a day.")


def _message(here: Visitor, one: Message, names: Mapping[int, str]) -> tuple[str, ...]:
    return (
        moment(one.newest_at, here.zone),
        one.address.email or names.get(one.address.channel_id or 0, ""),
        _what(here, one),
        _state(here, one),
        f"{one.tries:,}",
        one.last_error or "",
    )


def _what(here: Visitor, message: Message) -> str:
    if message.content.form in FORMS:
        return FORMS[message.content.form]
    newest = message.content.items[-1:]
    more = len(message.content.items) - 1
    with db.within(here.organization.id) as connection:
        ((_, title),) = words.titles(connection, here.organization.id, newest)
    return f"{title}, and {more} more" if more else title


def _state(here: Visitor, message: Message) -> str:
    if message.sent_at:
        return f"Sent {moment(message.sent_at, here.zone)}"
    if message.given_up_at:
        return f"Given up {moment(message.given_up_at, here.zone)}"
    return f"Goes {moment(message.due_at, here.zone)}"
