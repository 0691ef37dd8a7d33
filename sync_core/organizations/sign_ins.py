"""Who signed in and out; once for each sign-in, however many tabs and servers there are."""

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.organizations import actions
from sync_core.organizations.actions import SignedIn, SignedOut
from sync_core.organizations.people import Person

_ACTIONS = tables.actions.c


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
