"""The organizations to which somebody belongs by their sign-in, and who they are there.

A place in an organization is offered, and taken by whom it is offered to. From the first sign-in on
it belongs to the account (issuer and subject) by which it was: another one with the same address is
a stranger, until an administrator lets it in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role, Theme
from sync_core.organizations import sign_ins
from sync_core.organizations.organization import Organization
from sync_core.organizations.people import Admission, Person
from sync_core.organizations.preferences import Preferences
from sync_core.organizations.sign_ins import SignIn

Memberships = Mapping[str, tuple[Organization, Person]]  # by the organization's slug

_ORGANIZATIONS, _PEOPLE, _SIGN_INS = (
    tables.organizations.c,
    tables.people.c,
    tables.sign_ins.c,
)
_CHOSEN = tables.preferences.c
_ORGANIZATION = [_ORGANIZATIONS[name] for name in Organization.__dataclass_fields__]
_PERSON = [_PEOPLE.name, _PEOPLE.email, _PEOPLE.role, _PEOPLE.team]
_NEW_ENOUGH = sa.or_(_PEOPLE.epoch.is_(None), _SIGN_INS.began_at > _PEOPLE.epoch)
_COUNTS = sa.and_(_PEOPLE.accepted_at.is_not(None), sign_ins.is_account_of_person(), _NEW_ENOUGH)
_UNBOUND = sa.and_(_PEOPLE.issuer.is_(None), _SIGN_INS.issuer != sign_ins.DEMO)


@dataclass(frozen=True)
class Places:
    """Where somebody belongs, where they are asked to, and if nowhere, why not."""

    taken: Memberships
    offered: Memberships
    refusal: str | None  # code of an error; None where they belong somewhere
    preferences: Preferences = field(default_factory=Preferences)

    def require(self, sign_in: SignIn) -> Memberships:
        """Return where they belong.

        Raises SyncError: unknown_person, another_account, sign_in_ended.
        """
        if self.refusal == "unknown_person":
            raise SyncError("unknown_person", email=sign_in.email, organization="any organization")
        if self.refusal == "another_account":
            raise SyncError("another_account", email=sign_in.email)
        if self.refusal:
            raise SyncError("sign_in_ended")
        return self.taken


def of(connection: Connection, mark: bytes) -> Places:
    """Return the places of whoever signed in, that which opens first before the others."""
    rows = _read(connection, mark)
    if any(row.unbound for row in rows):
        _bind(connection, mark)
        rows = _read(connection, mark)  # another account may have been faster
    taken = {row.slug: _seat(row, mark) for row in rows if row.counts}
    offered = {row.slug: _seat(row, mark) for row in rows if row.accepted_at is None}
    chosen = _preferences(rows[0]) if rows else Preferences()
    return Places(taken, offered, None if taken else _why_none(rows), chosen)


def again(connection: Connection, organization_id: int, mark: bytes) -> Person | None:
    """Return who somebody is by now in an organization; None where they are nobody there."""
    rows = _read(connection, mark, _PEOPLE.organization_id == organization_id)
    return _seat(rows[0], mark)[1] if rows and rows[0].counts else None


def _read(connection: Connection, mark: bytes, *only: sa.ColumnElement[bool]) -> list[sa.Row[Any]]:
    """Read the places of a sign-in's address; those of other accounts, too."""
    query = (
        sa.select(
            *_ORGANIZATION,
            *(column.label(f"person_{column.name}") for column in _PERSON),
            _PEOPLE.accepted_at,
            sign_ins.is_account_of_person().label("own"),
            _COUNTS.label("counts"),
            sa.and_(_COUNTS, _UNBOUND).label("unbound"),
            _CHOSEN.theme,
            _CHOSEN.time_zone.label("own_time_zone"),
            _CHOSEN.shortcuts,
        )
        .join_from(tables.organizations, tables.people)
        .join(tables.sign_ins, _PEOPLE.email == _SIGN_INS.email)
        .outerjoin(tables.preferences, _CHOSEN.email == _SIGN_INS.email)
        .where(_SIGN_INS.mark == mark, _SIGN_INS.ended_at.is_(None), sign_ins.in_time(), *only)
        .order_by(
            _PEOPLE.chosen_at.desc().nulls_last(),
            _PEOPLE.accepted_at,
            _ORGANIZATIONS.name,
            _ORGANIZATIONS.id,
        )
    )
    return list(connection.execute(query))


def _preferences(row: sa.Row[Any]) -> Preferences:
    if row.theme is None:
        return Preferences()
    return Preferences(Theme(row.theme), row.own_time_zone or "", row.shortcuts)


def _seat(row: sa.Row[Any], mark: bytes) -> tuple[Organization, Person]:
    known = row._mapping  # noqa: SLF001 - the name is public
    organization = Organization(**{name: known[name] for name in Organization.__dataclass_fields__})
    person = Person(
        known["person_name"],
        known["person_email"],
        Role(known["person_role"]),
        known["person_team"],
        admission=Admission(partial(again, organization_id=organization.id, mark=mark), mark),
    )
    return organization, person


def _why_none(rows: list[sa.Row[Any]]) -> str:
    accepted = [row for row in rows if row.accepted_at is not None]
    if any(row.own for row in accepted):
        return "sign_in_ended"
    return "another_account" if accepted else "unknown_person"


def _bind(connection: Connection, mark: bytes) -> None:
    """Keep by which account somebody signed in for the first time."""
    connection.execute(
        sa.update(tables.people)
        .where(_SIGN_INS.mark == mark, _PEOPLE.email == _SIGN_INS.email, _COUNTS, _UNBOUND)
        .values(issuer=_SIGN_INS.issuer, subject=_SIGN_INS.subject)
    )


def accept(connection: Connection, organization_id: int, mark: bytes) -> Person:
    """Take the place that is offered to whose sign-in it is. Raises SyncError("no_offer")."""
    _offer(connection, organization_id, mark)
    this = (_PEOPLE.organization_id == organization_id, _PEOPLE.email == _SIGN_INS.email)
    connection.execute(
        sa.update(tables.people)
        .where(*this, _SIGN_INS.mark == mark, _PEOPLE.accepted_at.is_(None))
        .values(accepted_at=sa.func.clock_timestamp(), epoch=None)
    )
    of(connection, mark)  # binds it
    taken = again(connection, organization_id, mark)
    if taken is None:
        raise SyncError("no_offer")
    return taken


def decline(connection: Connection, organization_id: int, mark: bytes) -> Person:
    """Refuse a place that is offered: it is gone. Raises SyncError("no_offer")."""
    person = _offer(connection, organization_id, mark)
    this = (_PEOPLE.organization_id == organization_id, _PEOPLE.email == person.email)
    connection.execute(sa.delete(tables.people).where(*this, _PEOPLE.accepted_at.is_(None)))
    return person


def _offer(connection: Connection, organization_id: int, mark: bytes) -> Person:
    rows = _read(connection, mark, _PEOPLE.organization_id == organization_id)
    if not rows or rows[0].accepted_at is not None:
        raise SyncError("no_offer")
    return replace(_seat(rows[0], mark)[1], admission=None)


def choose(connection: Connection, organization_id: int, email: str) -> None:
    """Let this organization open first for somebody, wherever no address names another one."""
    this = (_PEOPLE.organization_id == organization_id, _PEOPLE.email == email)
    now = sa.func.clock_timestamp()
    connection.execute(sa.update(tables.people).where(*this).values(chosen_at=now))
