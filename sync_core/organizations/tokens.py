"""Tokens, by which programs ask in an organization: as their makers, with roles of their own."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role
from sync_core.organizations.organization import Organization, by_id
from sync_core.organizations.people import Admission, Permission, Person

PREFIX = "syncdesk_"  # by which a secret that has leaked is recognized
USED_EVERY = timedelta(minutes=1)  # the use of a token is written down no more often

_TOKENS = tables.tokens.c
_NOW = sa.func.clock_timestamp()
_LIVE = _TOKENS.revoked_at.is_(None)


@dataclass(frozen=True)
class Token:
    """A token as people see it; its secret is shown once, when it is made."""

    name: str
    role: Role
    permissions: Sequence[Permission] | None  # None: all of the role
    made_by: str
    made_at: datetime
    ends_at: datetime | None
    used_at: datetime | None


def add(
    connection: Connection,
    organization_id: int,
    by: Person,
    name: str,
    role: Role,
    days: int | None = None,
    permissions: Collection[Permission] = (),
) -> str:
    """Keep a new token; returns its secret, which nothing keeps. Raises token_exists.

    Without `permissions` it has all of its role.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    made = connection.execute(
        insert(tables.tokens)
        .values(
            organization_id=organization_id,
            name=name,
            role=role,
            permissions=sorted(permissions) or None,
            hash=_hash(secret),
            made_by=by.name,
            made_email=by.email,
            made_team=by.team,
            ends_at=None if days is None else _NOW + timedelta(days=days),
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "name"], index_where=_LIVE)
        .returning(_TOKENS.id)
    )
    if made.first() is None:
        raise SyncError("token_exists", name=name)
    return secret


def everyone(connection: Connection, organization_id: int) -> list[Token]:
    """List the tokens of the organization that are not revoked, by name."""
    fields = [_TOKENS[name] for name in Token.__dataclass_fields__]
    query = sa.select(*fields).where(_TOKENS.organization_id == organization_id, _LIVE)
    rows = connection.execute(query.order_by(_TOKENS.name)).mappings()
    return [Token(**{**row, "role": Role(row["role"])}) for row in rows]


def revoke(connection: Connection, organization_id: int, name: str) -> None:
    """Let a token count no more, from now on. Raises SyncError("unknown_token")."""
    if not _revoke(connection, organization_id, _TOKENS.name == name):
        raise SyncError("unknown_token", name=name)


def revoke_of(connection: Connection, organization_id: int, email: str) -> Sequence[str]:
    """Revoke the tokens that somebody made; returns their names."""
    mine = sa.func.lower(_TOKENS.made_email) == email.strip().lower()
    return _revoke(connection, organization_id, mine)


def _revoke(
    connection: Connection, organization_id: int, which: sa.ColumnElement[bool]
) -> Sequence[str]:
    live = (_TOKENS.organization_id == organization_id, _LIVE, which)
    ended = sa.update(tables.tokens).where(*live).values(revoked_at=_NOW)
    return sorted(connection.execute(ended.returning(_TOKENS.name)).scalars())


def use(connection: Connection, secret: str) -> tuple[Organization, Person] | None:
    """Return whose token it is and as whom it asks, and note its use; None if it does not count."""
    found = _live(connection, _hash(secret))
    if found is None:
        return None
    lately = sa.and_(_TOKENS.used_at.is_not(None), _TOKENS.used_at > _NOW - USED_EVERY)
    connection.execute(
        sa.update(tables.tokens).where(_TOKENS.id == found.id, ~lately).values(used_at=_NOW)
    )
    return by_id(connection, found.organization_id), _person(found)


def again(connection: Connection, hashed: bytes) -> Person | None:
    """Return as whom a token asks by now; None if it does not count any more."""
    found = _live(connection, hashed)
    return _person(found) if found else None


def _live(connection: Connection, hashed: bytes) -> sa.Row[Any] | None:
    in_time = sa.or_(_TOKENS.ends_at.is_(None), _TOKENS.ends_at > _NOW)
    query = sa.select(tables.tokens).where(_TOKENS.hash == hashed, _LIVE, in_time)
    return connection.execute(query).one_or_none()


def _person(found: sa.Row[Any]) -> Person:
    name = f"{found.name}, token of {found.made_by}"
    only = None if found.permissions is None else frozenset(found.permissions)
    admission = Admission(partial(again, hashed=found.hash))
    return Person(
        name, found.made_email, Role(found.role), found.made_team, only, admission=admission
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
