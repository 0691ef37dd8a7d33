"""Tells people what happened, at a time of the test's own, and reads their inboxes."""

from datetime import UTC, datetime

import sqlalchemy as sa

from sync_core.foundation import db, tables
from sync_core.foundation.vocabulary import Role
from sync_core.notifications import notices, telling
from sync_core.notifications.notices import Notice
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from tests.support.desk import ANA

BEN = Person("Ben Okafor", "ben.okafor@example.org", Role.ANALYST, "Front desk")
CLEO = Person("Cleo Tan", "cleo.tan@example.org", Role.MANAGER, "Finance")
DAN = Person("Dan Wu", "dan.wu@example.org", Role.VIEWER, "Clinic")
PEOPLE = (ANA, BEN, CLEO, DAN)


def join(organization: Organization, *persons: Person) -> None:
    with db.everywhere() as connection:
        for person in persons:
            people.add(connection, organization.id, person)


def tell(now: datetime | None = None) -> None:
    """Tell until nothing is new, whoever's it is: the tests share a database."""
    left = True
    while left:
        with db.everywhere() as connection:
            telling.tell(connection, now or datetime.now(UTC))
            left = bool(connection.execute(sa.select(sa.func.count(tables.news.c.id))).scalar())


def inbox(organization: Organization, person: Person) -> list[Notice]:
    """Return what somebody was told, oldest first."""
    with db.everywhere() as connection:
        return notices.of_person(connection, organization.id, person)[::-1]


def told(organization: Organization, person: Person) -> list[str]:
    """Return what somebody was told, in its kinds, oldest first."""
    return [notice.kind.value for notice in inbox(organization, person)]
