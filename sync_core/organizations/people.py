"""Who may do what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role

Permission = Literal["read", "personal", "sync", "analyze", "audit", "export", "administer"]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

MAY: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({"read"}),
    Role.ANALYST: frozenset({"read", "personal", "sync"}),
    Role.MANAGER: frozenset({"read", "analyze", "audit", "export"}),  # starts nothing
    Role.ADMIN: frozenset({"read", "personal", "sync", "analyze", "audit", "export", "administer"}),
}

WORDS: dict[Permission, str] = {
    "read": "see what is synced",
    "personal": "see personal data",
    "sync": "start, decide on or cancel syncs",
    "analyze": "see the analytics",
    "audit": "see the audit trail",
    "export": "export files",
    "administer": "change settings",
}


@dataclass(frozen=True)
class Person:
    """Somebody who asks for something, in one organization."""

    name: str
    email: str
    role: Role
    team: str = ""
    only: frozenset[Permission] | None = None  # of what the role may: what a token may

    def may(self, permission: Permission) -> bool:
        """Return whether the role allows it, and no narrower limit forbids it."""
        allowed = self.only is None or permission in self.only
        return allowed and permission in MAY[self.role]


def require(person: Person, permission: Permission) -> None:
    """Refuse, with a sentence, whoever may not do it.

    Raises SyncError: no_permission, or beyond_token where the role may do it.
    """
    if not person.may(permission):
        if permission in MAY[person.role]:
            raise SyncError("beyond_token", doing=WORDS[permission], permission=permission)
        roles = " or ".join(role for role, may in MAY.items() if permission in may)
        raise SyncError("no_permission", role=person.role, doing=WORDS[permission], roles=roles)


def signed_in(claims: Mapping[str, Any], allowed: float, now: float) -> str | None:
    """Return the address that a sign-in vouches for: verified, and not `allowed` seconds old."""
    address = str(claims.get("email") or "").strip().lower()
    if not claims.get("is_logged_in") or claims.get("email_verified") is False:
        return None
    return None if is_overdue(claims, allowed, now) else address or None


def is_overdue(claims: Mapping[str, Any], allowed: float, now: float) -> bool:
    """Return whether a sign-in is older than allowed, in seconds."""
    at = claims.get("auth_time") or claims.get("iat")
    return isinstance(at, int | float) and now - at > allowed


def find(connection: Connection, organization_id: int, email: str) -> Person | None:
    """Return the person with this address in the organization."""
    people = tables.people.c
    row = connection.execute(
        sa.select(people.name, people.email, people.role, people.team).where(
            people.organization_id == organization_id, people.email == email.strip().lower()
        )
    ).one_or_none()
    return Person(row.name, row.email, Role(row.role), row.team) if row else None


def everyone(connection: Connection, organization_id: int) -> list[Person]:
    """List the people of the organization, by name."""
    people = tables.people.c
    rows = connection.execute(
        sa.select(people.name, people.email, people.role, people.team)
        .where(people.organization_id == organization_id)
        .order_by(people.name)
    )
    return [Person(name, email, Role(role), team) for name, email, role, team in rows]


def add(connection: Connection, organization_id: int, person: Person) -> None:
    """Keep a person; the one with the same address is replaced."""
    values = {"name": person.name, "role": person.role, "team": person.team}
    connection.execute(
        sa.dialects.postgresql.insert(tables.people)
        .values(organization_id=organization_id, email=person.email.strip().lower(), **values)
        .on_conflict_do_update(index_elements=["organization_id", "email"], set_=values)
    )


def remove(connection: Connection, organization_id: int, email: str) -> bool:
    """Forget a person of the organization; returns whether there was one."""
    people = tables.people
    known = (people.c.organization_id == organization_id, people.c.email == email.strip().lower())
    return bool(connection.execute(sa.delete(people).where(*known)).rowcount)
