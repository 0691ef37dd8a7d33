"""Who comes and goes: each sign-in and each sign-out is an action, and each place that is taken."""

from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.organizations import (
    Organization,
    actions,
    memberships,
    people,
    preferences,
    sign_ins,
)
from sync_core.organizations.actions import ChangedPeople, SetPreferences
from sync_core.organizations.memberships import Places
from sync_core.organizations.people import Person
from sync_core.organizations.preferences import Preferences
from sync_core.organizations.sign_ins import SignIn


def arrive(sign_in: SignIn, *, once: bool = False) -> Places:
    """Return where whoever signed in belongs; the sign-in counts from now on until it ends.

    With `once` it must be new. Raises SyncError("sign_in_ended").
    """
    with db.everywhere() as connection:
        if not sign_ins.begin(connection, sign_in) and once:
            raise SyncError("sign_in_ended")
        return memberships.of(connection, sign_in.mark)


def leave(sign_in: SignIn) -> None:
    """End the sign-in of somebody who belongs nowhere, and stands in no trail."""
    with db.within() as connection:
        sign_ins.end(connection, sign_in.mark)


def sign_in(organization: Organization, person: Person, at: object) -> None:
    """Record the sign-in of this moment, as its claims name it: once, however often it is said.

    Raises SyncError("no_permission").
    """
    person = people.require(person, "read")
    with db.within(organization.id) as connection:
        sign_ins.record(connection, organization.id, person, at)


def sign_out(organization: Organization, person: Person, *, everywhere: bool = False) -> None:
    """End the sign-in by which somebody asks, or with `everywhere` all of theirs, and record it.

    Whoever has copied its cookie has nothing any more. Raises SyncError("no_permission").
    """
    person = people.require(person, "read")
    with db.everywhere() as connection:
        if person.admission and person.admission.mark:
            end = sign_ins.end_all if everywhere else sign_ins.end
            end(connection, person.admission.mark)
        sign_ins.record_end(connection, organization.id, person)


def accept(organization: Organization, sign_in: SignIn) -> Person:
    """Take the place that an organization offers; the sign-in is the permission.

    Raises SyncError("no_offer").
    """
    with db.everywhere() as connection:  # all places of the account become its own
        person = memberships.accept(connection, organization.id, sign_in.mark)
        accepted = f"accepted the invitation as {people.ONE[person.role]}"
        what = ChangedPeople(accepted, person.email)
        actions.record(connection, organization.id, person, what)
    return person


def decline(organization: Organization, sign_in: SignIn) -> None:
    """Refuse the place that an organization offers. Raises SyncError("no_offer")."""
    with db.within(organization.id) as connection:
        person = memberships.decline(connection, organization.id, sign_in.mark)
        what = ChangedPeople("declined the invitation", person.email)
        actions.record(connection, organization.id, person, what)


def open_first(organization: Organization, person: Person) -> None:
    """Let this organization be the one that opens first for somebody.

    Raises SyncError("no_permission").
    """
    person = people.require(person, "read")
    with db.within(organization.id) as connection:
        memberships.choose(connection, organization.id, person.email)
        what = SetPreferences("this organization opens first for them")
        actions.record(connection, organization.id, person, what)


def prefer(organization: Organization, person: Person, wanted: Preferences) -> None:
    """Keep how somebody wants the pages, in whatever organization.

    Raises SyncError: no_permission, unknown_time_zone.
    """
    person = people.require(person, "read")
    zone = wanted.time_zone or "the browser"
    keys = "with" if wanted.shortcuts else "without"
    what = f"theme {wanted.theme}, times of {zone}, {keys} shortcuts"
    with db.within(organization.id) as connection:
        preferences.save(connection, person.email, wanted)
        actions.record(connection, organization.id, person, SetPreferences(what))
