import uuid

from sync_core import organizations
from sync_core.audit import trail
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import Organization, memberships, people, sign_ins
from sync_core.organizations.people import Person
from sync_core.runs.filters import Filter

MIA = Person("Mia Sand", "mia.sand@example.org", Role.MANAGER, "Front desk")
MIA_ELSEWHERE = Person("Mia S.", "mia.sand@example.org", Role.VIEWER)


def sign_ins_of(organization: Organization) -> list[tuple[str, str]]:
    wanted = Filter(organizations=(organization.id,), action=("signed in", "signed out"))
    with db.begin() as connection:
        return [(entry.what, entry.email) for entry in trail.read(connection, wanted, 10)]


def test_somebody_is_known_in_each_organization_as_who_they_are_there(
    organization: Organization,
) -> None:
    with db.begin() as connection:
        other = organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", "Able Clinics")
        people.add(connection, organization.id, MIA)
        people.add(connection, other.id, MIA_ELSEWHERE)
        known = memberships.of(connection, " Mia.Sand@Example.org ")
    mine = {slug: known[slug] for slug in known if slug in {organization.slug, other.slug}}
    assert mine == {
        other.slug: (other, MIA_ELSEWHERE),
        organization.slug: (organization, MIA),
    }
    assert list(mine) == [other.slug, organization.slug]  # by name: Able before Northwind


def test_a_stranger_is_known_nowhere(organization: Organization) -> None:
    with db.begin() as connection:
        people.add(connection, organization.id, MIA)
        assert memberships.of(connection, "mia.sand@example.com") == {}


def test_a_sign_in_is_recorded_once_whatever_number_of_tabs_opens(
    organization: Organization,
) -> None:
    for at in (1_795_000_000, 1_795_000_000, 1_795_000_001):
        with db.begin() as connection:
            sign_ins.record(connection, organization.id, MIA, at)
    with db.begin() as connection:
        sign_ins.record_end(connection, organization.id, MIA)
    assert sign_ins_of(organization) == [
        ("signed out", MIA.email),
        ("signed in", MIA.email),
        ("signed in", MIA.email),
    ]
