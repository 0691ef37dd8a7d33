"""Made-up locations, as CSV files with all the columns of the resource."""

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from sync_core.catalogue.resources.locations import LOCATIONS

(ENTITY,) = LOCATIONS.entities
HEADER = [field.label for field in ENTITY.fields]
CITIES = ("Perth", "Hobart", "Darwin", "Cairns", "Sydney")
STREETS = ("Acacia Street", "Banksia Road", "Harbour Parade", "Station Lane", "Wattle Avenue")
CHANGES = {"Name": "Renamed clinic", "City": "Geelong", "Postcode": "0099", "Phone": "0412345678"}


def write(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write the file of a first load, and one in which a tenth of the rows have another cell."""
    first, changed = folder / f"{rows}.csv", folder / f"{rows}-changed.csv"
    with first.open("w", newline="") as one, changed.open("w", newline="") as other:
        before, after = csv.writer(one), csv.writer(other)
        before.writerow(HEADER)
        after.writerow(HEADER)
        for number, row in enumerate(islice(locations(), rows)):
            before.writerow(row)
            after.writerow(_changed(row, number // 10) if number % 10 == 7 else row)
    return first, changed


def locations() -> Iterator[list[str]]:
    """Make up rows in the order of their codes, as in a sheet that grows at its end."""
    chance = random.Random(7)
    opening, number = date(1990, 1, 1), 0
    while True:
        number += 1
        city = chance.choice(CITIES)
        yield [
            f"LOC-{number:07}",
            f"{city} clinic {number}",
            f"{chance.randint(1, 400)} {chance.choice(STREETS)}",
            city,
            f"{chance.randint(200, 9999):04}",
            "Australia",
            f"04{chance.randint(10_000_000, 19_999_999)}",
            f"clinic{number}@example.org",
            f"{-chance.uniform(11, 43):.5f}",
            f"{chance.uniform(114, 153):.5f}",
            (opening + timedelta(days=chance.randint(0, 12_000))).isoformat(),
            "yes" if chance.random() < 0.9 else "no",
        ]


def _changed(row: list[str], number: int) -> list[str]:
    label = list(CHANGES)[number % len(CHANGES)]
    place = HEADER.index(label)
    return [*row[:place], CHANGES[label], *row[place + 1 :]]
