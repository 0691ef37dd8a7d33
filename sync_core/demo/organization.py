"""The demo organization: its people, its made-up history, and its made-up files and Cliniko."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.demo import files, history
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


def load(connection: Connection, folder: Path) -> None:
    """Fill the demo organization: people, a history and sources where it has none, and files."""
    make_organization(connection)
    demo = {found.slug: found for found in organizations.everyone(connection)}
    if organizations.DEFAULT in demo:
        _load(connection, demo[organizations.DEFAULT], folder)


def _load(connection: Connection, organization: Organization, folder: Path) -> None:
    if not people.everyone(connection, organization.id):
        for person in PEOPLE:
            people.add(connection, organization.id, person)
    history.load(connection, organization)
    files.write(folder)
    have = set(
        connection.execute(
            sa.select(tables.sources.c.resource).where(
                tables.sources.c.organization_id == organization.id
            )
        ).scalars()
    )
    for resource in resources.CATALOGUE.values():
        if resource.name not in have:
            words = resource.held_by or f"folder:{folder}"
            found = source_settings.parse(organization, resource, words, None, None, folder)
            source_settings.save(connection, organization, found)


def make_organization(connection: Connection) -> None:
    """Add the demo organization where there is none at all yet."""
    if not organizations.everyone(connection):
        organizations.add(
            connection, organizations.DEFAULT, "Northwind Care", "AU", "Australia/Perth"
        )
