"""Sign-ins: what their claims must say, how long each counts; and each is an action."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import email_address, settings, tables
from sync_core.foundation.errors import SyncError
from sync_core.organizations import actions
from sync_core.organizations.actions import SignedIn, SignedOut
from sync_core.organizations.people import Person

DEMO = "demo"  # the issuer of the demo's sign-ins; those of others are addresses
AHEAD_SECONDS = 60  # by which the clock of a provider may be before ours
LONGEST = 255  # characters of a claim, as OpenID Connect limits those of a subject
UNSEEN_SECONDS = 600  # after which a sign-in that never came to us counts no more
NAMED = ("iss", "sub", "email", "iat", "nonce", "jti")  # claims that tell one sign-in from others

_ACTIONS, _SIGN_INS, _PEOPLE = tables.actions.c, tables.sign_ins.c, tables.people.c
_NOW = sa.func.clock_timestamp()


@dataclass(frozen=True)
class SignIn:
    """A sign-in, as a provider vouches for it."""

    issuer: str
    subject: str
    email: str
    issued_at: float  # seconds since 1970, as all moments here
    at: float  # when the person showed who they are, which may be before
    mark: bytes  # by which it is known again


def read(claims: Mapping[str, Any]) -> SignIn:
    """Return the sign-in for which the claims vouch: who it is, verified, and not too long ago.

    Raises SyncError: not_signed_in, bad_sign_in, address_not_verified, sign_in_ended.
    """
    if claims.get("is_logged_in") is not True:
        raise SyncError("not_signed_in")
    issuer, subject, email = (_text(claims, name) for name in ("iss", "sub", "email"))
    if not email_address.is_valid(email):  # what others become in small letters is somebody else's
        raise SyncError("bad_sign_in", claim="email")
    issued_at = _moment(claims, "iat")
    at = min(issued_at, _moment(claims, "auth_time")) if "auth_time" in claims else issued_at
    if claims.get("email_verified") is not True:
        raise SyncError("address_not_verified", email=email)
    if time.time() - at > settings.current().sign_in_age:
        raise SyncError("sign_in_ended")
    named = json.dumps([claims.get(name) for name in NAMED])
    mark = hashlib.sha256(named.encode()).digest()
    return SignIn(issuer, subject, email.lower(), issued_at, at, mark)


def _text(claims: Mapping[str, Any], name: str) -> str:
    """Return a text as it is: where nothing is trimmed, none passes for another one."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        raise SyncError("bad_sign_in", claim=name)
    if value != value.strip() or not value.isprintable():
        raise SyncError("bad_sign_in", claim=name)
    return value


def _moment(claims: Mapping[str, Any], name: str) -> float:
    """Return a moment that has come; whatever else stands there vouches for nothing."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SyncError("bad_sign_in", claim=name)
    if not 0 < value <= time.time() + AHEAD_SECONDS:  # so is none that is infinite, or no number
        raise SyncError("bad_sign_in", claim=name)
    return float(value)


def begin(connection: Connection, sign_in: SignIn) -> bool:
    """Keep a sign-in that is seen for the first time; returns whether it was.

    Raises SyncError("sign_in_ended") where somebody has signed out of it, or it comes only long
    after it was made.
    """
    kept = connection.execute(
        sa.select(_SIGN_INS.ended_at).where(_SIGN_INS.mark == sign_in.mark)
    ).one_or_none()
    if kept is not None and kept.ended_at is None:
        return False
    if kept is not None or time.time() - sign_in.issued_at > UNSEEN_SECONDS:
        raise SyncError("sign_in_ended")
    _forget_old_ones(connection)
    began_at = sa.func.least(_NOW, sa.func.to_timestamp(sign_in.issued_at + 1))  # iat is rounded
    kept_now = (
        insert(tables.sign_ins)
        .values(
            mark=sign_in.mark,
            issuer=sign_in.issuer,
            subject=sign_in.subject,
            email=sign_in.email,
            at=sa.func.to_timestamp(sign_in.at),
            began_at=began_at,
        )
        .on_conflict_do_nothing()
        .returning(_SIGN_INS.mark)
    )
    return connection.execute(kept_now).first() is not None


def in_time() -> sa.ColumnElement[bool]:
    """Return whether a kept sign-in is younger than its age may be."""
    return _SIGN_INS.at > _NOW - timedelta(seconds=settings.current().sign_in_age)


def _forget_old_ones(connection: Connection) -> None:
    """Forget those that count no more in any case: a copy that comes back is not let in either."""
    connection.execute(sa.delete(tables.sign_ins).where(~in_time()))


def end(connection: Connection, mark: bytes) -> None:
    """Let a sign-in count no more, whoever still has its cookie."""
    this = (_SIGN_INS.mark == mark, _SIGN_INS.ended_at.is_(None))
    connection.execute(sa.update(tables.sign_ins).where(*this).values(ended_at=_NOW))


def end_all(connection: Connection, mark: bytes) -> None:
    """Let none of the sign-ins of whose this one is count any more, seen or not."""
    mine = sa.select(_SIGN_INS.issuer, _SIGN_INS.subject).where(_SIGN_INS.mark == mark)
    these = sa.tuple_(_SIGN_INS.issuer, _SIGN_INS.subject).in_(mine)
    connection.execute(
        sa.update(tables.people)
        .where(_SIGN_INS.mark == mark, _PEOPLE.email == _SIGN_INS.email, is_account_of_person())
        .values(epoch=_NOW)
    )
    connection.execute(
        sa.update(tables.sign_ins).where(these, _SIGN_INS.ended_at.is_(None)).values(ended_at=_NOW)
    )


def is_account_of_person() -> sa.ColumnElement[bool]:
    """Return whether a sign-in is by the account that a person has signed in with from the first.

    Until somebody has, whoever shows the verified address is the person.
    """
    same = sa.and_(_PEOPLE.issuer == _SIGN_INS.issuer, _PEOPLE.subject == _SIGN_INS.subject)
    return sa.or_(_PEOPLE.issuer.is_(None), same)


def record(connection: Connection, organization_id: int, person: Person, at: object) -> None:
    """Record the sign-in of this moment, as its claims name it, unless that was done before."""
    arrival = SignedIn(str(at))
    recorded = sa.select(_ACTIONS.id).where(
        _ACTIONS.organization_id == organization_id,
        _ACTIONS.email == person.email,
        _ACTIONS.kind == arrival.kind,
        _ACTIONS.detail.contains(actions.facts(arrival)),
    )
    if connection.execute(recorded).first() is None:
        actions.record(connection, organization_id, person, arrival)


def record_end(connection: Connection, organization_id: int, person: Person) -> None:
    """Record that somebody signed out."""
    actions.record(connection, organization_id, person, SignedOut())
