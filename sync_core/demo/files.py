"""The files of the demo: made-up clinics, therapists, administrators, brands and packages."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from sync_core.foundation.settings import SettingsError

Row = Sequence[object]

FIRST = (
    "Amara Ben Chloe Dev Elena Farid Grace Hugo Ines Jonas Keiko Liam Maya Noah Olga Priya Quinn"
    " Rosa Samir Tess Umar Vera Wen Xenia Yusuf Zoe"
).split()
LAST = (
    "Abbott Brandt Castillo Dunn Eriksen Fields Grant Hale Ito Jensen Kaur Lindqvist Moreau"
    " Nakamura Okafor Petrov Quill Rossi Sato Tran Ueda Vance Walsh Xu Young Zeller"
).split()
STREETS = "Harbour Garden Station Mill Orchard Lake Hill Market Bridge Chapel".split()
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
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
CLINICS, THERAPISTS, ADMINS = 420, 1550, 64
FLAT = 37  # therapists who are left out by the rule


def write(folder: Path) -> None:
    """Write the files that are not there yet; they are the same every time.

    Raises SettingsError where the folder may not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, make in FILES.items():
            path = folder / f"{name}.csv"
            if not path.exists():
                with path.open("w", newline="", encoding="utf-8") as file:
                    csv.writer(file).writerows(make(Random(name)))  # noqa: S311 - made-up data
    except OSError as error:
        raise SettingsError(
            f"The made-up files cannot be written to {folder} ({error.strerror}): set"
            " SYNCDESK_FOLDERS to a folder that may be written to, or leave it unset."
        ) from error


LOCATIONS_HEADER = (
    "Location code,Name,Address,City,Postcode,Country"
    ",Phone,Email,Latitude,Longitude,Opened on,Active"
)
THERAPISTS_HEADER = (
    "Therapist ID,Name,Email,Phone,Employment type,Location,Hourly rate,Start date,Active"
)
PACKAGES_HEADER = (
    "Package code,Brand code,Name,Price,Currency,Sessions,Duration,Valid from,Valid until,Active"
)


def _day(chance: Random, first: int, days: int) -> date:
    return date(first, 1, 1) + timedelta(days=chance.randrange(days))


def _phone(chance: Random) -> str:
    return f"08 9{chance.randrange(10**3):03d} {chance.randrange(10**4):04d}"


def locations(chance: Random) -> Iterator[Row]:
    """Make up clinics; two of them carry mistakes that a person has to mend."""
    yield LOCATIONS_HEADER.split(",")
    mistakes = {200: ("not known", None), 300: (None, "clinic300.example.org")}
    for number in range(1, CLINICS + 1):
        city, postcode, latitude, longitude = chance.choice(CITIES)
        phone, email = mistakes.get(number, (None, None))
        yield (
            f"LOC-{number:04d}",
            f"{chance.choice(LAST)} {chance.choice(STREETS)} Clinic",
            f"{chance.randrange(1, 300)} {chance.choice(STREETS)} Street",
            city,
            postcode,
            "Australia",
            phone or _phone(chance),
            email or f"clinic{number}@example.org",
            round(latitude + chance.uniform(-0.2, 0.2), 5),
            round(longitude + chance.uniform(-0.2, 0.2), 5),
            _day(chance, 1995, 11_000),
            chance.choices(("yes", "no"), (9, 1))[0],
        )


def therapists(chance: Random) -> Iterator[Row]:
    """Make up therapists: some are paid flat, one address stands twice, one rate is a word."""
    yield THERAPISTS_HEADER.split(",")
    flat = set(chance.sample(range(1, THERAPISTS + 1), FLAT))
    for number in range(1, THERAPISTS + 1):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        kind = chance.choices(("Full time", "Part time", "Contract"), (6, 3, 2))[0]
        yield (
            f"T-{number:04d}",
            name,
            f"therapist{number if number != 1200 else 1199}@example.org",  # noqa: PLR2004
            _phone(chance),
            "FLAT" if number in flat else kind,
            f"LOC-{chance.randrange(1, 100):04d}",
            "on request" if number == 800 else f"${chance.randrange(60, 220)}.50",  # noqa: PLR2004
            _day(chance, 2012, 5000),
            chance.choices(("yes", "no"), (19, 1))[0],
        )


def schedules(chance: Random) -> Iterator[Row]:
    """Make up two days a week for each therapist."""
    yield ("Therapist ID", "Weekday", "Start", "End", "Location")
    for number in range(1, THERAPISTS + 1):
        for weekday in chance.sample(WEEKDAYS, 2):
            start = chance.randrange(7, 12)
            hours = (f"{start:02d}:00", f"{start + chance.randrange(4, 9):02d}:30")
            yield (f"T-{number:04d}", weekday, *hours, f"LOC-{chance.randrange(1, 100):04d}")


def admins(chance: Random) -> Iterator[Row]:
    """Make up administrators."""
    yield ("Email", "Name", "Role", "Team", "Active")
    for number in range(1, ADMINS + 1):
        yield (
            f"admin{number}@example.org",
            f"{chance.choice(FIRST)} {chance.choice(LAST)}",
            chance.choices(("Viewer", "Admin", "Super admin"), (6, 3, 1))[0],
            chance.choice(("Operations", "Marketing", "IT", "Reception")),
            "yes",
        )


BRANDS = ("Stillwater", "Kite & Anchor", "Open Palm", "Second Wind", "North Loft", "Little Steps")
PACKAGES = (("Single visit", 1), ("Five visits", 5), ("Ten visits", 10), ("Course of 20", 20))


def brands(_chance: Random) -> Iterator[Row]:
    """Make up brands."""
    yield ("Brand code", "Name", "Website", "Active")
    for number, name in enumerate(BRANDS, 1):
        site = "".join(letter for letter in name.lower() if letter.isalpha())
        yield (f"B{number}", name, f"https://{site}.example.org", "yes")


def packages(chance: Random) -> Iterator[Row]:
    """Make up packages; one of them ends before it begins."""
    yield PACKAGES_HEADER.split(",")
    for brand in range(1, len(BRANDS) + 1):
        for name, sessions in PACKAGES:
            start = _day(chance, 2025, 300)
            days = -30 if (brand, sessions) == (4, 20) else chance.randrange(200, 700)
            yield (
                f"P{brand}-{sessions:02d}",
                f"B{brand}",
                name,
                f"{sessions * chance.randrange(70, 120):,}.00",
                "AUD",
                sessions,
                chance.choice((30, 45, 60, 90)),
                start,
                start + timedelta(days=days),
                "yes",
            )


FILES: dict[str, Callable[[Random], Iterator[Row]]] = {
    "locations": locations,
    "therapists": therapists,
    "schedules": schedules,
    "admins": admins,
    "brands": brands,
    "packages": packages,
}
