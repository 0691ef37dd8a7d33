"""The channels of an organization: where it is told as a whole."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import email_address, settings, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import ChannelKind, DigestPace, NoticeKind
from sync_core.notifications.wishes import Wish
from sync_core.organizations import Organization

CHATS = frozenset({ChannelKind.SLACK, ChannelKind.TEAMS, ChannelKind.GOOGLE_CHAT})
CHAT_URL, WEBHOOK_KEY = "SYNCDESK_CHAT_URL", "SYNCDESK_WEBHOOK_KEY"

_KEPT = tables.channels.c


@dataclass(frozen=True)
class Channel:
    """A channel: its secrets stand in the environment, under the organization's and its name."""

    id: int
    organization_id: int
    name: str
    kind: ChannelKind
    location: str  # an e-mail address, or a webhook's; "" where it is a secret
    wish: Wish  # what it is told


def variable(organization: Organization, name: str, kind: ChannelKind) -> str | None:
    """Name the variable that holds the secret of a channel; None where it needs none."""
    if kind == ChannelKind.EMAIL:
        return None
    prefix = CHAT_URL if kind in CHATS else WEBHOOK_KEY
    return settings.channel_variable(prefix, organization.slug, name)


def secret(organization: Organization, channel: Channel) -> str | None:
    """Return the secret of a channel; None where the environment has none."""
    current = settings.current()
    kept = current.chat_addresses if channel.kind in CHATS else current.webhook_keys
    found = kept.get(f"{organization.slug}--{channel.name}")
    return found.value if found else None


def everyone(connection: Connection, organization_id: int) -> Sequence[Channel]:
    """List the channels of an organization, by name."""
    return _read(connection, _KEPT.organization_id == organization_id)


def get(connection: Connection, organization_id: int, channel_id: int) -> Channel:
    """Read a channel. Raises SyncError("unknown_channel")."""
    whose = (_KEPT.organization_id == organization_id) & (_KEPT.id == channel_id)
    found = _read(connection, whose)
    if not found:
        raise SyncError("unknown_channel")
    return found[0]


def _read(connection: Connection, which: sa.ColumnElement[bool]) -> Sequence[Channel]:
    rows = connection.execute(sa.select(tables.channels).where(which).order_by(_KEPT.name))
    return [_channel(row) for row in rows]


def _channel(row: sa.Row[tuple[object, ...]]) -> Channel:
    kinds = frozenset(kind for kind in NoticeKind if kind in row.kinds)
    resources = None if row.resources is None else frozenset(row.resources)
    wish = Wish(kinds, resources, digest=DigestPace(row.digest))
    return Channel(row.id, row.organization_id, row.name, ChannelKind(row.kind), row.location, wish)


def add(
    connection: Connection,
    organization: Organization,
    name: str,
    kind: ChannelKind,
    location: str,
    wish: Wish,
) -> Channel:
    """Add a channel.

    Raises SyncError: bad_channel_name, bad_address, bad_webhook, channel_exists.
    """
    if not re.fullmatch(r"(?!.*--)[a-z0-9][a-z0-9-]{0,38}[a-z0-9]|[a-z0-9]", name):
        raise SyncError("bad_channel_name", name=name)
    location = _location(kind, location.strip())
    added = connection.execute(
        insert(tables.channels)
        .values(
            organization_id=organization.id,
            name=name,
            kind=kind,
            location=location,
            kinds=sorted(wish.kinds),
            resources=None if wish.resources is None else sorted(wish.resources),
            digest=wish.digest,
        )
        .on_conflict_do_nothing()
        .returning(_KEPT.id)
    ).scalar()
    if added is None:
        raise SyncError("channel_exists", name=name)
    return get(connection, organization.id, added)


def _location(kind: ChannelKind, location: str) -> str:
    if kind == ChannelKind.EMAIL and not email_address.is_valid(location):
        raise SyncError("bad_address", email=location)
    if kind == ChannelKind.WEBHOOK and not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", location):
        raise SyncError("bad_webhook", address=location)
    return "" if kind in CHATS else location


def remove(connection: Connection, organization_id: int, channel_id: int) -> None:
    """Take a channel away, with the messages to it."""
    whose = (_KEPT.organization_id == organization_id, _KEPT.id == channel_id)
    connection.execute(sa.delete(tables.channels).where(*whose))
