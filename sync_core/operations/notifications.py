"""What is decided about notifications: each person for themselves, administrators for channels."""

from datetime import UTC, datetime

from sqlalchemy import Connection

from sync_core import organizations
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import ChannelKind, MessageForm
from sync_core.notifications import channels, outbox, unsubscribe, wishes
from sync_core.notifications.channels import Channel
from sync_core.notifications.outbox import Address, Content
from sync_core.notifications.wishes import Wish
from sync_core.organizations import Organization, actions, people
from sync_core.organizations.actions import ChangedSetting, SentTest, SetNotifications
from sync_core.organizations.people import Person


def wish(organization: Organization, by: Person, wanted: Wish) -> None:
    """Decide what one is told oneself, and how. Raises SyncError("no_permission")."""
    by = people.require(by, "read")
    with db.within(organization.id) as connection:
        wishes.put(connection, organization.id, by, wanted)
        how = "by mail, too" if wanted.by_mail else "in the pages"
        told = SetNotifications(f"{_words(wanted)}; {how}")
        actions.record(connection, organization.id, by, told)


def end_mails(ticket: str) -> tuple[Organization, Person]:
    """Send whom a link of a mail names no more mails; returns who that is, and where.

    The link is the permission: whoever has the mail may end it. Raises SyncError("bad_mail_link").
    """
    if (named := unsubscribe.read(ticket)) is None:
        raise SyncError("bad_mail_link")
    organization_id, email = named
    with db.within(organization_id) as connection:
        organization = organizations.by_id(connection, organization_id)
        person = people.find(connection, organization_id, email)
        if person is None:
            raise SyncError("bad_mail_link")
        wanted = wishes.of_person(connection, organization_id, person)
        wishes.put(connection, organization_id, person, wanted.without_mails())
        told = SetNotifications("no more mails, by a link in one of them")
        actions.record(connection, organization.id, person, told)
    return organization, person


def add_channel(
    organization: Organization,
    by: Person,
    name: str,
    kind: ChannelKind,
    location: str,
    wanted: Wish,
) -> Channel:
    """Add a channel that tells the organization as a whole.

    Raises SyncError: no_permission, bad_channel_name, bad_address, bad_webhook, channel_exists.
    """
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        added = channels.add(connection, organization, name, kind, location, wanted)
        what = f"the channels: added {name} ({kind}): {_words(wanted)}"
        _record(connection, organization, by, what)
    return added


def remove_channel(organization: Organization, by: Person, channel_id: int) -> None:
    """Take a channel away. Raises SyncError: no_permission, unknown_channel."""
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        channel = channels.get(connection, organization.id, channel_id)
        channels.remove(connection, organization.id, channel_id)
        _record(connection, organization, by, f"the channels: removed {channel.name}")


def try_channel(organization: Organization, by: Person, channel_id: int) -> None:
    """Send a test to a channel. Raises SyncError: no_permission, unknown_channel."""
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        channel = channels.get(connection, organization.id, channel_id)
        _send_test(connection, organization, Address(channel_id=channel_id))
        told = SentTest(f"to the channel {channel.name}")
        actions.record(connection, organization.id, by, told)


def try_mail(organization: Organization, by: Person) -> None:
    """Send a test to oneself. Raises SyncError("no_permission")."""
    by = people.require(by, "read")
    with db.within(organization.id) as connection:
        _send_test(connection, organization, Address(email=by.email))
        actions.record(connection, organization.id, by, SentTest("to themselves, by mail"))


def _send_test(connection: Connection, organization: Organization, to: Address) -> None:
    content = Content(MessageForm.TEST)
    outbox.add(connection, organization.id, to, content, datetime.now(UTC))


def _words(wanted: Wish) -> str:
    """Return a wish in a few words, for the audit."""
    kinds = ", ".join(sorted(wanted.kinds)) or "nothing"
    where = "all" if wanted.resources is None else ", ".join(sorted(wanted.resources)) or "none"
    return f"{kinds}; of resources: {where}; digest: {wanted.digest}"


def _record(connection: Connection, organization: Organization, by: Person, what: str) -> None:
    actions.record(connection, organization.id, by, ChangedSetting(what))
