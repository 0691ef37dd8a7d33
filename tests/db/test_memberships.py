import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa

from sync_core import organizations
from sync_core.audit import trail
from sync_core.foundation import db, tables
from sync_core.foundation.vocabulary import Role, Theme
from sync_core.operations import access, administration
from sync_core.organizations import Organization, people
from sync_core.organizations import sign_ins as kept
from sync_core.organizations.people import Person
from sync_core.organizations.preferences import Preferences
from sync_core.runs.filters import Filter
from tests.support import sign_ins
from tests.support.desk import ANA
from tests.support.sources import refusal


@pytest.fixture
def mia() -> Person:
    """Return somebody whose address no other test knows."""
    email = f"mia.{uuid.uuid4().hex[:12]}@example.org"
    return Person("Mia Sand", email, Role.MANAGER, "Front desk")


def another(name: str) -> Organization:
    with db.everywhere() as connection:
        return organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", name)


def sign_ins_of(organization: Organization) -> list[tuple[str, str]]:
    wanted = Filter(organizations=(organization.id,), action=("signed in", "signed out"))
    with db.everywhere() as connection:
        return [(entry.what, entry.email) for entry in trail.read(connection, wanted, 10)]


def test_somebody_is_known_in_each_organization_as_who_they_are_there(
    organization: Organization, mia: Person
) -> None:
    elsewhere, other = replace(mia, name="Mia S.", role=Role.VIEWER), another("Able Clinics")
    with db.everywhere() as connection:
        people.add(connection, organization.id, mia)
        people.add(connection, other.id, elsewhere)
    known = sign_ins.arrived(mia.email.upper()).taken
    assert known == {organization.slug: (organization, mia), other.slug: (other, elsewhere)}
    assert list(known) == [organization.slug, other.slug]  # the first that was taken opens first


def test_a_stranger_is_known_nowhere(organization: Organization, mia: Person) -> None:
    with db.everywhere() as connection:
        people.add(connection, organization.id, mia)
    signed_in = sign_ins.sign_in(mia.email.replace(".org", ".com"))
    places = access.arrive(signed_in)
    assert (places.taken, places.offered) == ({}, {})
    assert refusal(lambda: places.require(signed_in)).code == "unknown_person"


def test_a_place_is_offered_and_no_organization_opens_by_having_added_an_address(
    organization: Organization, mia: Person
) -> None:
    mine, trap = organization, another("A Trap")
    with db.everywhere() as connection:
        people.add(connection, mine.id, mia)
    administration.put_person(trap, ANA, replace(mia, role=Role.ADMIN))
    signed_in = sign_ins.sign_in(mia.email)
    places = access.arrive(signed_in)
    assert (list(places.taken), list(places.offered)) == ([mine.slug], [trap.slug])
    with db.everywhere() as connection:
        assert people.members(connection, trap.id) == []
    access.accept(trap, signed_in)
    assert list(access.arrive(signed_in).taken) == [mine.slug, trap.slug]
    there = access.arrive(signed_in).taken[trap.slug][1]
    access.open_first(trap, there)
    assert list(access.arrive(signed_in).taken) == [trap.slug, mine.slug]
    assert refusal(lambda: access.accept(trap, signed_in)).code == "no_offer"


def test_a_place_that_is_declined_is_gone(organization: Organization, mia: Person) -> None:
    administration.put_person(organization, ANA, mia)
    signed_in = sign_ins.sign_in(mia.email)
    assert list(access.arrive(signed_in).offered) == [organization.slug]
    access.decline(organization, signed_in)
    assert list(access.arrive(signed_in).offered) == []
    with db.everywhere() as connection:
        assert people.everyone(connection, organization.id) == []
    assert refusal(lambda: access.accept(organization, signed_in)).code == "no_offer"


def test_how_somebody_wants_the_pages_is_forgotten_with_their_last_place(
    organization: Organization, mia: Person
) -> None:
    other = another("Able Clinics")
    with db.everywhere() as connection:
        for place in (organization, other):
            people.add(connection, place.id, mia)
        people.add(connection, organization.id, ANA)
        people.add(connection, other.id, ANA)
    for person in (mia, ANA):
        access.prefer(organization, person, Preferences(Theme.DARK, "Europe/Berlin"))
    administration.remove_person(organization, ANA, mia.email)
    assert preferences_of(mia, ANA) == {mia.email, ANA.email}
    administration.remove_person(other, ANA, mia.email)
    assert preferences_of(mia, ANA) == {ANA.email}


def preferences_of(*known: Person) -> set[str]:
    kept = tables.preferences.c.email
    query = sa.select(kept).where(kept.in_([person.email for person in known]))
    with db.everywhere() as connection:
        return set(connection.scalars(query))


def test_a_zone_that_is_none_is_not_kept(organization: Organization, mia: Person) -> None:
    with db.everywhere() as connection:
        people.add(connection, organization.id, mia)
    wanted = Preferences(Theme.DARK, "Mars/Olympus")
    assert refusal(lambda: access.prefer(organization, mia, wanted)).code == "unknown_time_zone"
    assert preferences_of(mia) == set()


def test_whoever_has_not_taken_the_place_is_no_administrator_to_be_left(
    organization: Organization, mia: Person
) -> None:
    with db.everywhere() as connection:
        people.add(connection, organization.id, ANA)
    administration.put_person(organization, ANA, replace(mia, role=Role.ADMIN))
    left = refusal(lambda: administration.remove_person(organization, ANA, ANA.email))
    assert left.code == "last_admin"


def test_a_sign_in_is_recorded_once_whatever_number_of_tabs_opens(
    organization: Organization, mia: Person
) -> None:
    for at in (1_795_000_000, 1_795_000_000, 1_795_000_001):
        with db.everywhere() as connection:
            kept.record(connection, organization.id, mia, at)
    with db.everywhere() as connection:
        kept.record_end(connection, organization.id, mia)
    assert sign_ins_of(organization) == [
        ("signed out", mia.email),
        ("signed in", mia.email),
        ("signed in", mia.email),
    ]
