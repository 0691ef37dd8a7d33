"""The outbox: messages to people and channels, until they are delivered or given up.

A message is claimed for the time of its delivery, so any number of loops deliver each once; who
dies with one in hand leaves it to the next, when the claim is over.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import MessageForm, NoticeKind

AT_MOST_EVERY = timedelta(hours=1)  # while much happens, what comes after a message is collected
QUIET = timedelta(minutes=5)  # after which what was collected goes earlier
CLAIM = timedelta(minutes=5)  # for one delivery
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=1)
KEPT = timedelta(days=90)
MOST_ITEMS = 200  # of what a message tells, the newest ones

_MESSAGES = tables.messages.c


@dataclass(frozen=True)
class Address:
    """To whom a message goes: a person, by the e-mail address, or a channel."""

    email: str | None = None
    channel_id: int | None = None


@dataclass(frozen=True)
class Item:
    """A thing that a message tells."""

    kind: NoticeKind
    resource: str
    run_id: int | None
    text: str
    at: datetime

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what was stored."""
        given = {"kind": NoticeKind(kept["kind"]), "at": datetime.fromisoformat(kept["at"])}
        return cls(**{**kept, **given})

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(frozen=True)
class Content:
    """What a message tells; how it is worded and masked is decided when it is delivered."""

    form: MessageForm
    items: tuple[Item, ...] = ()
    since: datetime | None = None  # of a digest

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what was stored."""
        since = kept.get("since")
        return cls(
            MessageForm(kept["form"]),
            tuple(Item.from_json(one) for one in kept.get("items", ())),
            datetime.fromisoformat(since) if since else None,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        items = [item.as_json() for item in self.items]
        since = self.since.isoformat() if self.since else None
        return {"form": self.form, "items": items, "since": since}


@dataclass(frozen=True)
class Message:
    """A message whose delivery is tried for the `tries`-th time, or that waits for it."""

    id: int
    organization_id: int
    address: Address
    content: Content
    made_at: datetime
    newest_at: datetime
    due_at: datetime
    tries: int
    last_error: str
    sent_at: datetime | None
    given_up_at: datetime | None


_COLUMNS = [_MESSAGES[f] for f in Message.__dataclass_fields__ if f not in {"address", "content"}]
_READ = sa.select(*_COLUMNS, _MESSAGES.email, _MESSAGES.channel_id, _MESSAGES.content)
_IS_OPEN = _MESSAGES.sent_at.is_(None) & _MESSAGES.given_up_at.is_(None)


def _message(row: sa.RowMapping) -> Message:
    kept: dict[str, Any] = dict(row)
    address = Address(kept.pop("email"), kept.pop("channel_id"))
    return Message(**{**kept, "address": address, "content": Content.from_json(kept["content"])})


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    return _MESSAGES.claimed_until.is_(None) | (_MESSAGES.claimed_until <= now)


def _of(organization_id: int, to: Address) -> sa.ColumnElement[bool]:
    ours = _MESSAGES.organization_id == organization_id
    if to.channel_id is not None:
        return ours & (_MESSAGES.channel_id == to.channel_id)
    return ours & (_MESSAGES.email == to.email)


# What goes in


def tell(
    connection: Connection, organization_id: int, to: Address, item: Item, now: datetime
) -> None:
    """Add a thing to the message that waits for this address, or make one.

    One at a time: who tells holds the turn (`news.is_my_turn`).
    """
    news = _MESSAGES.content["form"].astext == MessageForm.NEWS
    waiting = connection.execute(
        _READ.where(_of(organization_id, to), news, _IS_OPEN, _is_free(now))
        .order_by(_MESSAGES.id.desc())
        .limit(1)
        .with_for_update()
    ).mappings()
    due = _due(connection, organization_id, to, now)
    if (row := waiting.one_or_none()) is None:
        add(connection, organization_id, to, Content(MessageForm.NEWS, (item,)), now, due=due)
        return
    message = _message(row)
    items = (*message.content.items, item)[-MOST_ITEMS:]
    content = Content(MessageForm.NEWS, items).as_json()
    later = message.due_at if message.tries else due  # one that was tried keeps its pause
    connection.execute(
        sa.update(tables.messages)
        .where(_MESSAGES.id == message.id)
        .values(content=content, newest_at=now, due_at=later)
    )


def _due(connection: Connection, organization_id: int, to: Address, now: datetime) -> datetime:
    """Return when news of this moment go: at once, unless a message went not long ago."""
    last: datetime | None = connection.execute(
        sa.select(sa.func.max(sa.func.coalesce(_MESSAGES.sent_at, _MESSAGES.claimed_until)))
        .where(_of(organization_id, to), _MESSAGES.content["form"].astext == MessageForm.NEWS)
        .where(_MESSAGES.sent_at.is_not(None) | (_MESSAGES.claimed_until > now))
    ).scalar()
    if last is None or now >= last + AT_MOST_EVERY:
        return now
    return min(now + QUIET, last + AT_MOST_EVERY)


def add(
    connection: Connection,
    organization_id: int,
    to: Address,
    content: Content,
    now: datetime,
    *,
    due: datetime | None = None,
    once: str | None = None,
) -> None:
    """Put a message into the outbox; what is to go `once` and is there already, is left."""
    connection.execute(
        insert(tables.messages)
        .values(
            organization_id=organization_id,
            email=to.email,
            channel_id=to.channel_id,
            once=once,
            content=content.as_json(),
            made_at=now,
            newest_at=now,
            due_at=due or now,
        )
        .on_conflict_do_nothing()
    )


# What goes out


def claim(connection: Connection, now: datetime) -> Message | None:
    """Take the message that is due longest, to deliver it; None where none is."""
    due = (
        sa.select(_MESSAGES.id)
        .where(_IS_OPEN, _MESSAGES.due_at <= now, _is_free(now))
        .order_by(_MESSAGES.due_at, _MESSAGES.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(
        sa.update(tables.messages)
        .where(_MESSAGES.id == due.scalar_subquery())
        .values(claimed_until=now + CLAIM, tries=_MESSAGES.tries + 1)
        .returning(*_READ.selected_columns)
    ).mappings()
    row = found.one_or_none()
    return _message(row) if row else None


def mark_sent(connection: Connection, message: Message, now: datetime) -> None:
    """Note that a message was delivered."""
    _end(connection, message, sent_at=now, last_error="")


def mark_failed(connection: Connection, message: Message, why: str, now: datetime) -> None:
    """Note why a message was not delivered: it is tried again, for a day."""
    if now >= message.newest_at + GIVEN_UP_AFTER:
        give_up(connection, message, why, now)
        return
    _end(connection, message, due_at=now + pause(message.tries), last_error=why)


def give_up(connection: Connection, message: Message, why: str, now: datetime) -> None:
    """Note that a message will not be delivered."""
    _end(connection, message, given_up_at=now, last_error=why)


def pause(tries: int) -> timedelta:
    """Return the time until the next try: it doubles, up to an hour."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(tries - 1, 10)))


def _end(connection: Connection, message: Message, **values: object) -> None:
    """Give the claim up, unless somebody else has taken it over."""
    claimed = (_MESSAGES.id == message.id, _MESSAGES.tries == message.tries)
    changed = sa.update(tables.messages).where(*claimed)
    connection.execute(changed.values(claimed_until=None, **values))


# What is seen of it


def latest(connection: Connection, organization_id: int, limit: int = 50) -> list[Message]:
    """List the messages of an organization, newest first."""
    ours = _READ.where(_MESSAGES.organization_id == organization_id)
    rows = connection.execute(ours.order_by(_MESSAGES.id.desc()).limit(limit)).mappings()
    return [_message(row) for row in rows]


def drop_old(connection: Connection, now: datetime) -> None:
    """Drop the messages of which nobody asks any more."""
    old = _MESSAGES.made_at < now - KEPT
    connection.execute(sa.delete(tables.messages).where(old))
