"""Who may do what."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import db, names, tables
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

ONE: dict[Role, str] = {
    Role.VIEWER: "a viewer",
    Role.ANALYST: "an analyst",
    Role.MANAGER: "a manager",
    Role.ADMIN: "an administrator",
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

FRESH_SECONDS = 2  # for which what was looked up about somebody may be believed


@dataclass(frozen=True)
class Admission:
    """By what somebody is in, who was looked up a moment ago: a sign-in, or a token."""

    look_again: Callable[[Connection], "Person | None"]
    mark: bytes | None = None  # of the sign-in
    looked_at: float = field(default_factory=time.monotonic)

    @property
    def is_fresh(self) -> bool:
        """Whether nothing can have changed for long."""
        return time.monotonic() - self.looked_at < FRESH_SECONDS


@dataclass(frozen=True)
class Person:
    """Somebody who asks for something, in one organization."""

    name: str
    email: str
    role: Role
    team: str = ""
    only: frozenset[Permission] | None = None  # of what the role may: what a token may
    is_operator: bool = False  # by the shell of the machine, on which everything runs
    admission: Admission | None = field(default=None, compare=False, repr=False)

    def may(self, permission: Permission) -> bool:
        """Return whether the role allows it, and no narrower limit forbids it."""
        allowed = self.only is None or permission in self.only
        return allowed and permission in MAY[self.role]


def as_now(person: Person) -> Person:
    """Return who somebody is by now: what a page was drawn for may be over since.

    Raises SyncError("sign_in_ended").
    """
    came = person.admission
    if came is None or came.is_fresh:
        return person
    with db.everywhere() as connection:
        now = came.look_again(connection)
    if now is None:
        raise SyncError("sign_in_ended")
    return now


def require(person: Person, permission: Permission) -> Person:
    """Return who somebody is by now; refuse, with a sentence, whoever may not do it.

    Raises SyncError: sign_in_ended, no_permission, or beyond_token where the role may do it.
    """
    person = as_now(person)
    if not person.may(permission):
        if permission in MAY[person.role]:
            raise SyncError("beyond_token", doing=WORDS[permission], permission=permission)
        roles = " or ".join(ONE[role] for role, may in MAY.items() if permission in may)
        raise SyncError(
            "no_permission", role=ONE[person.role], doing=WORDS[permission], roles=roles
        )
    return person


def require_operator(person: Person) -> None:
    """Refuse whoever does not ask by the shell of the machine. Raises SyncError("not_operator")."""
    if not person.is_operator:
        raise SyncError("not_operator")


def find(connection: Connection, organization_id: int, email: str) -> Person | None:
    """Return the person with this address, who has taken their place in the organization."""
    people = tables.people.c
    row = connection.execute(
        sa.select(people.name, people.email, people.role, people.team).where(
            people.organization_id == organization_id,
            people.email == email.strip().lower(),
            people.accepted_at.is_not(None),
        )
    ).one_or_none()
    return Person(row.name, row.email, Role(row.role), row.team) if row else None


def everyone(connection: Connection, organization_id: int) -> list[Person]:
    """List the people of the organization, by name; those to whom a place is offered, too."""
    return _everyone(connection, organization_id)


def admins(connection: Connection, organization_id: int) -> set[str]:
    """Return the addresses of the organization's administrators.

    Who has not taken the place yet counts for none, unless there is no other.
    """
    by_place = (
        {one.email for one in found(connection, organization_id) if one.role == Role.ADMIN}
        for found in (members, everyone)
    )
    return next(by_place) or next(by_place)


def members(connection: Connection, organization_id: int) -> list[Person]:
    """List the people who belong to the organization, by name: they have taken their place."""
    return _everyone(connection, organization_id, tables.people.c.accepted_at.is_not(None))


def _everyone(
    connection: Connection, organization_id: int, *only: sa.ColumnElement[bool]
) -> list[Person]:
    people = tables.people.c
    rows = connection.execute(
        sa.select(people.name, people.email, people.role, people.team)
        .where(people.organization_id == organization_id, *only)
        .order_by(people.name)
    )
    return [Person(name, email, Role(role), team) for name, email, role, team in rows]


Accounts = Mapping[str, str | None]


def accounts(connection: Connection, organization_id: int) -> Accounts:
    """Return the issuer by which each member signs in, by address; None before the first time."""
    people = tables.people.c
    mine = (people.organization_id == organization_id, people.accepted_at.is_not(None))
    rows = connection.execute(sa.select(people.email, people.issuer).where(*mine))
    return {row.email: row.issuer for row in rows}


def add(connection: Connection, organization_id: int, person: Person) -> None:
    """Keep a person who belongs to the organization; the one with the same address is replaced."""
    _keep(connection, organization_id, person, accepted_at=sa.func.clock_timestamp())


def offer(connection: Connection, organization_id: int, person: Person) -> None:
    """Keep a person to whom a place is offered; who has the address already is replaced."""
    _keep(connection, organization_id, person, accepted_at=None)


def _keep(connection: Connection, organization_id: int, person: Person, **once: object) -> None:
    team = names.plain(person.team) if person.team.strip() else ""
    values = {"name": names.plain(person.name), "role": person.role, "team": team}
    new = {"organization_id": organization_id, "email": person.email.strip().lower(), **once}
    connection.execute(
        sa.dialects.postgresql.insert(tables.people)
        .values(**new, **values)
        .on_conflict_do_update(index_elements=["organization_id", "email"], set_=values)
    )


def end_sign_ins(connection: Connection, organization_id: int, email: str) -> None:
    """Let no sign-in of a person that has begun count here any more."""
    _change(connection, organization_id, email, epoch=sa.func.clock_timestamp())


def forget_account(connection: Connection, organization_id: int, email: str) -> bool:
    """Let the next sign-in with the person's address be theirs; returns whether there is one."""
    now = sa.func.clock_timestamp()
    return _change(connection, organization_id, email, epoch=now, issuer=None, subject=None)


def _change(connection: Connection, organization_id: int, email: str, **values: object) -> bool:
    people = tables.people
    known = (people.c.organization_id == organization_id, people.c.email == email.strip().lower())
    return bool(connection.execute(sa.update(people).where(*known).values(**values)).rowcount)


def remove(connection: Connection, organization_id: int, email: str) -> bool:
    """Forget a person of the organization; returns whether there was one."""
    people = tables.people
    known = (people.c.organization_id == organization_id, people.c.email == email.strip().lower())
    return bool(connection.execute(sa.delete(people).where(*known)).rowcount)
