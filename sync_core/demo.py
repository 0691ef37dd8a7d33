"""The demo organization: made-up people, and a folder of CSV files to play with."""

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import organizations, people, places, resources, tables
from sync_core.organizations import Organization
from sync_core.people import Person
from sync_core.sources import Place

PEOPLE = (
    Person("Vera Olsen", "vera.olsen@example.org", "viewer", "Reception"),
    Person("Sarah Lim", "sarah.lim@example.org", "analyst", "Operations"),
    Person("Michael Tan", "michael.tan@example.org", "manager", "Marketing"),
    Person("Ana Ruiz", "ana.ruiz@example.org", "admin", "IT"),
)

FIRST = (
    "Amara Ben Chloe Dev Elena Farid Grace Hugo Ines Jonas Keiko Liam Maya Noah Olga Priya Quinn"
    " Rosa Samir Tess Umar Vera Wen Xenia Yusuf Zoe"
).split()
LAST = (
    "Abbott Brandt Castillo Dunn Eriksen Fields Grant Hale Ito Jensen Kaur Lindqvist Moreau"
    " Nakamura Okafor Petrov Quill Rossi Sato Tran Ueda Vance Walsh Xu Young Zeller"
).split()
CITIES = (
    ("Perth", "6000", -31.95, 115.86),
    ("Fremantle", "6160", -32.05, 115.75),
    ("Hobart", "7000", -42.88, 147.33),
    ("Darwin", "0800", -12.46, 130.84),
    ("Adelaide", "5000", -34.93, 138.6),
    ("Brisbane", "4000", -27.47, 153.03),
    ("Melbourne", "3000", -37.81, 144.96),
    ("Sydney", "2000", -33.87, 151.21),
)
STREETS = "Harbour Garden Station Mill Orchard Lake Hill Market Bridge Chapel".split()


def load(connection: Connection, organization: Organization, folder: Path) -> None:
    """Add the people and the sources of the demo, where none are set; write its files once."""
    if not people.everyone(connection, organization.id):
        for person in PEOPLE:
            people.add(connection, organization.id, person)
    write_files(folder)
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


def organization(connection: Connection) -> Organization:
    """Give the demo organization; made where there is no organization yet."""
    if not organizations.everyone(connection):
        organizations.add(
            connection, organizations.DEFAULT, "Northwind Care", "AU", "Australia/Perth"
        )
    return organizations.get(connection, organizations.DEFAULT)


def write_files(folder: Path) -> None:
    """Write the CSV files that are not there yet; the same ones every time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("locations", locations()),):
        path = folder / f"{name}.csv"
        if not path.exists():
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)


def locations(count: int = 420) -> Iterator[Sequence[object]]:
    """Make up clinics; two of them carry mistakes that a person has to mend."""
    chance = random.Random(11)  # noqa: S311 - made-up data
    yield (
        "Location code",
        "Name",
        "Address",
        "City",
        "Postcode",
        "Country",
        "Phone",
        "Email",
        "Latitude",
        "Longitude",
        "Opened on",
        "Active",
    )
    for number in range(1, count + 1):
        city, postcode, latitude, longitude = chance.choice(CITIES)
        name = f"{chance.choice(LAST)} {chance.choice(STREETS)} Clinic"
        yield (
            f"LOC-{number:04d}",
            name,
            f"{chance.randrange(1, 300)} {chance.choice(STREETS)} Street",
            city,
            postcode,
            "Australia",
            "not known" if number == 200 else f"08 9{chance.randrange(10**7):07d}",  # noqa: PLR2004
            f"clinic{number}@example.org" if number != 300 else "clinic300.example.org",  # noqa: PLR2004
            round(latitude + chance.uniform(-0.2, 0.2), 5),
            round(longitude + chance.uniform(-0.2, 0.2), 5),
            date(1995, 1, 1) + timedelta(days=chance.randrange(11_000)),
            "no" if chance.random() < 0.1 else "yes",  # noqa: PLR2004
        )
