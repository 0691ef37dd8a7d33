"""The demo organization: its people, its made-up history, and its made-up files and Cliniko."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.demo import empty_organization, files, history
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import Organization, people, source_settings
from sync_core.organizations.people import Person

PEOPLE = (
    Person("Vera Olsen", "vera.olsen@example.org", Role.VIEWER, "Reception"),
    Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations"),
    Person("Michael Tan", "michael.tan@example.org", Role.MANAGER, "Marketing"),
    Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT"),
)
FOLDER = "made-up"  # in the organization's own


def load(connection: Connection, folders: Path) -> None:
    """Fill the demo organization: people, a history and sources where it has none, and files.

    Its files are in its folder in that of all organizations.
    """
    empty_organization.make(connection)
    demo = {found.slug: found for found in organizations.everyone(connection)}
    if organizations.DEFAULT in demo:
        _load(connection, demo[organizations.DEFAULT], folders)


def _load(connection: Connection, organization: Organization, folders: Path) -> None:
    if not people.everyone(connection, organization.id):
        for person in PEOPLE:
            people.add(connection, organization.id, person)
    history.load(connection, organization)
    files.write(folders / organization.slug / FOLDER)
    have = set(
        connection.execute(
            sa.select(tables.sources.c.resource).where(
                tables.sources.c.organization_id == organization.id
            )
        ).scalars()
    )
    for resource in resources.CATALOGUE.values():
        if resource.name not in have:
            words = resource.held_by or f"folder:{FOLDER}"
            found = source_settings.parse(organization, resource, words, None, None)
            source_settings.save(connection, organization, found)
