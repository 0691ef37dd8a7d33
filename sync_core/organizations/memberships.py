"""The organizations that know somebody's e-mail address, and who they are there."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.organizations.organization import Organization
from sync_core.organizations.people import Person

Memberships = Mapping[str, tuple[Organization, Person]]  # by the organization's slug

_ORGANIZATIONS, _PEOPLE = tables.organizations.c, tables.people.c


def of(connection: Connection, email: str) -> Memberships:
    """Return the organizations that know this address, by name, with the person in each."""
    organization_fields = [_ORGANIZATIONS[name] for name in Organization.__dataclass_fields__]
    person_fields = [_PEOPLE.name, _PEOPLE.email, _PEOPLE.role, _PEOPLE.team]
    rows = connection.execute(
        sa.select(*organization_fields, *person_fields)
        .join_from(tables.organizations, tables.people)
        .where(_PEOPLE.email == email.strip().lower())
        .order_by(_ORGANIZATIONS.name, _ORGANIZATIONS.id)
    )
    width = len(organization_fields)
    known = ((Organization(*row[:width]), Person(*row[width:])) for row in rows)
    return {organization.slug: (organization, person) for organization, person in known}
