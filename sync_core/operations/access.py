"""Who comes and goes: each sign-in and each sign-out is an action."""

from sync_core.foundation import db
from sync_core.organizations import Organization, people, sign_ins
from sync_core.organizations.people import Person


def sign_in(organization: Organization, person: Person, at: object) -> None:
    """Record the sign-in of this moment, as its claims name it: once, however often it is said.

    Raises SyncError("no_permission").
    """
    people.require(person, "read")
    with db.begin() as connection:
        sign_ins.record(connection, organization.id, person, at)


def sign_out(organization: Organization, person: Person) -> None:
    """Record that somebody signed out. Raises SyncError("no_permission")."""
    people.require(person, "read")
    with db.begin() as connection:
        sign_ins.record_end(connection, organization.id, person)
