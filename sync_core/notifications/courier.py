"""Delivers what the outbox holds: to people by mail, to channels each by its kind."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import partial

from sqlalchemy import Connection

from sync_core import organizations, runs
from sync_core.audit import exports
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import ChannelKind, MessageForm, NoticeKind
from sync_core.notifications import (
    channels,
    chats,
    digest,
    door,
    letters,
    mails,
    outbox,
    unsubscribe,
    webhooks,
    wishes,
)
from sync_core.notifications.channels import Channel
from sync_core.notifications.delivery_error import DeliveryError, MailServerAwayError
from sync_core.notifications.letters import Letter
from sync_core.notifications.mails import Envelope, File
from sync_core.notifications.outbox import Message
from sync_core.notifications.wishes import Wish
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person

LARGEST_FILE = 5_000_000  # bytes that go with a mail
LEFT = "They are no longer one of the people of the organization."
BROKEN = "The program failed at it; the log of maintenance tells why."

log = logging.getLogger("syncdesk.courier")


@dataclass(frozen=True)
class Delivery:
    """A message with all that its delivery needs, read at the moment of it."""

    message: Message
    organization: Organization
    letter: Letter
    person: Person | None = None
    wish: Wish | None = None
    channel: Channel | None = None


@dataclass
class Round:
    """One round of deliveries: a mail server that is away is asked once."""

    clock: Callable[[], datetime]
    tried: int = 0
    away: str = ""  # what is told of the mail server since it did not answer

    def send(self, make: Callable[[], EmailMessage]) -> None:
        """Send a mail, unless its server is away. Raises DeliveryError."""
        if self.away:
            raise DeliveryError(self.away)
        try:
            mails.send(make)
        except MailServerAwayError as error:
            self.away = str(error)
            raise


def deliver_due(clock: Callable[[], datetime]) -> int:
    """Deliver what is due; returns how many messages were tried."""
    this = Round(clock)
    while message := _claimed(clock()):
        this.tried += 1
        _deliver(message, this)
    return this.tried


def _claimed(now: datetime) -> Message | None:
    with db.everywhere() as connection:
        return outbox.claim(connection, now)


def _deliver(message: Message, this: Round) -> None:
    clock = this.clock
    try:
        with db.within(message.organization_id) as connection:
            delivery = _prepared(connection, message)
        if delivery is None:
            _note(outbox.give_up, message, LEFT, clock())
            return
        _hand_over(delivery, this)
    except DeliveryError as error:
        log.warning("message %s was not delivered: %s", message.id, error)
        _note(outbox.mark_failed, message, str(error), clock())
    except Exception as error:
        if db.is_away(error):
            raise
        log.exception("message %s was not delivered", message.id)
        _note(outbox.mark_failed, message, BROKEN, clock())
    else:
        with db.within(message.organization_id) as connection:
            outbox.mark_sent(connection, message, clock())


def _note(
    write: Callable[[Connection, Message, str, datetime], None],
    message: Message,
    why: str,
    now: datetime,
) -> None:
    with db.within(message.organization_id) as connection:
        write(connection, message, why, now)


def _prepared(connection: Connection, message: Message) -> Delivery | None:
    """Read who gets the message, and word it; None where they are gone."""
    organization = organizations.by_id(connection, message.organization_id)
    made = partial(Delivery, message, organization)
    if message.address.channel_id is not None:
        channel = channels.get(connection, organization.id, message.address.channel_id)
        return made(_letter(connection, organization, message, None), channel=channel)
    person = people.find(connection, organization.id, message.address.email or "")
    if person is None:
        return None
    wish = wishes.of_person(connection, organization.id, person)
    return made(_letter(connection, organization, message, person), person, wish)


def _letter(
    connection: Connection, organization: Organization, message: Message, reader: Person | None
) -> Letter:
    if message.content.form == MessageForm.TEST:
        return letters.of_test(organization)
    if message.content.form == MessageForm.DIGEST:
        return digest.letter(connection, organization, message, reader)
    return letters.of_news(connection, organization, message.content)


def _hand_over(delivery: Delivery, this: Round) -> None:
    channel, now = delivery.channel, this.clock()
    if channel is None or channel.kind == ChannelKind.EMAIL:
        this.send(lambda: _mail(delivery, now))
        return
    secret = channels.secret(delivery.organization, channel)
    if secret is None:
        variable = channels.variable(delivery.organization, channel.name, channel.kind)
        raise DeliveryError(f"{variable} is not set.")
    if channel.kind == ChannelKind.WEBHOOK:
        _call_webhook(delivery, channel, secret, now)
        return
    content = json.dumps(chats.BODIES[channel.kind](delivery.letter)).encode()
    door.post(secret, content, {"Content-Type": "application/json"}, f"The channel {channel.name}")


def _mail(delivery: Delivery, now: datetime) -> EmailMessage:
    return mails.compose(delivery.letter, _envelope(delivery, now), _files(delivery))


def _call_webhook(delivery: Delivery, channel: Channel, key: str, now: datetime) -> None:
    content = webhooks.body(delivery.letter, delivery.organization, delivery.message)
    headers = webhooks.headers(content, key, delivery.message.id, int(now.timestamp()))
    door.post(channel.location, content, headers, f"The webhook {channel.name}")


def _envelope(delivery: Delivery, now: datetime) -> Envelope:
    number, organization = delivery.message.id, delivery.organization
    if delivery.person is None:
        to = delivery.channel.location if delivery.channel else ""
        return Envelope(to, number, now)
    email = delivery.person.email
    ends = unsubscribe.address(organization.id, email)
    return Envelope(email, number, now, ends, letters.page(organization, "notifications"))


def _files(delivery: Delivery) -> Sequence[File]:
    """Return the rows to mend of the runs that the mail tells of, as this person may see them."""
    person, wish = delivery.person, delivery.wish
    if person is None or wish is None or not wish.failed_rows:
        return ()
    partial_runs = [
        entry.run_id
        for entry in delivery.letter.entries
        if entry.kind == NoticeKind.PARTIAL and entry.run_id
    ]
    return list(_rejects(delivery.organization, person, partial_runs))


def _rejects(organization: Organization, person: Person, run_ids: Sequence[int]) -> Iterator[File]:
    for run_id in run_ids:
        with db.within(organization.id) as connection:
            run = runs.get(connection, organization.id, run_id)
        try:
            export = exports.rejects(organization, person, run, bom=True)
        except SyncError:  # they may not have it any more
            return
        content = b""
        for block in exports.write(export):
            content += block
            if len(content) > LARGEST_FILE:  # the page of the run has it
                break
        else:
            yield File(export.file, content)
