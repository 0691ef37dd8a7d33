"""The demo organization: its people, its made-up history, its sources in a folder of CSV files."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import demo_files, demo_history, organizations, people, places, resources, tables
from sync_core.organizations import Organization
from sync_core.people import Person
from sync_core.sources import Place

PEOPLE = (
    Person("Vera Olsen", "vera.olsen@example.org", "viewer", "Reception"),
    Person("Sarah Lim", "sarah.lim@example.org", "analyst", "Operations"),
    Person("Michael Tan", "michael.tan@example.org", "manager", "Marketing"),
    Person("Ana Ruiz", "ana.ruiz@example.org", "admin", "IT"),
)


def load(connection: Connection, folder: Path) -> None:
    """Give the demo organization people, a history and sources where it has none, and files."""
    make_organization(connection)
    demo = {found.slug: found for found in organizations.everyone(connection)}
    if organizations.DEFAULT in demo:
        _load(connection, demo[organizations.DEFAULT], folder)


def _load(connection: Connection, organization: Organization, folder: Path) -> None:
    if not people.everyone(connection, organization.id):
        for person in PEOPLE:
            people.add(connection, organization.id, person)
    demo_history.load(connection, organization)
    demo_files.write(folder)
    have = set(
        connection.execute(
            sa.select(tables.sources.c.resource).where(
                tables.sources.c.organization_id == organization.id
            )
        ).scalars()
    )
    for resource in resources.CATALOGUE.values():
        if resource.name not in have:
            places.put(connection, organization, _in_folder(organization, resource.name, folder))


def _in_folder(organization: Organization, resource: str, folder: Path) -> list[Place]:
    return [
        Place(
            organization=organization.slug,
            resource=resource,
            entity=entity.name,
            kind="folder",
            location=str(folder),
        )
        for entity in resources.CATALOGUE[resource].entities
    ]


def make_organization(connection: Connection) -> None:
    """Add the demo organization where there is none at all yet."""
    if not organizations.everyone(connection):
        organizations.add(
            connection, organizations.DEFAULT, "Northwind Care", "AU", "Australia/Perth"
        )
