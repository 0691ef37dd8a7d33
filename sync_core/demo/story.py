"""The story of the demo: who would have synced what, when, and what would have gone wrong."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role, RunStatus
from sync_core.organizations.people import Person

DAYS = 90
REST = timedelta(hours=3)  # before now, in which nothing is made up
HOURS = {7: 1, 8: 4, 9: 6, 10: 4, 11: 3, 12: 1, 13: 3, 14: 5, 15: 5, 16: 3, 17: 2, 18: 1}
SATURDAY = 5

STAFF = (  # of the made-up runs; nobody signs in as one of the last three
    Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations"),
    Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT"),
    Person("Priya Nair", "priya.nair@example.org", Role.ANALYST, "Operations"),
    Person("Tom Becker", "tom.becker@example.org", Role.ANALYST, "Marketing"),
    Person("Lena Fischer", "lena.fischer@example.org", Role.ANALYST, "Reception"),
)


@dataclass(frozen=True)
class Habit:
    """How a resource is usually synced."""

    share: int  # of all runs, beside the others
    staff: Sequence[int]  # weights of who asks for it, in the order of STAFF
    seconds: float  # that a run usually takes


HABITS = {
    "therapists": Habit(8, (6, 1, 4, 0, 1), 9.5),
    "locations": Habit(5, (3, 1, 2, 0, 3), 3.4),
    "services": Habit(4, (0, 0, 1, 7, 0), 1.9),
    "admins": Habit(3, (0, 6, 1, 0, 0), 1.4),
}


@dataclass(frozen=True)
class Trouble:
    """A row that somebody got wrong, and mended some days later; days are counted back from now."""

    resource: str
    entity: str
    first: int
    last: int
    row_number: int
    key: str
    name: str
    field: str
    column: str  # of the sheet
    cell: str
    code: str


TROUBLES = (
    Trouble(
        resource="locations",
        entity="locations",
        first=71,
        last=69,
        row_number=201,
        key="LOC-0200",
        name="Grant Orchard Clinic",
        field="Phone",
        column="G",
        cell="not known",
        code="bad_phone",
    ),
    Trouble(
        resource="therapists",
        entity="therapists",
        first=48,
        last=45,
        row_number=801,
        key="T-0800",
        name="Priya Kaur",
        field="Hourly rate",
        column="G",
        cell="on request",
        code="not_a_number",
    ),
    Trouble(
        resource="services",
        entity="packages",
        first=27,
        last=23,
        row_number=17,
        key="P4-20",
        name="Course of 20",
        field="Valid until",
        column="I",
        cell="2025-03-01",
        code="out_of_order",
    ),
    Trouble(
        resource="locations",
        entity="locations",
        first=15,
        last=13,
        row_number=301,
        key="LOC-0300",
        name="Hale Bridge Clinic",
        field="Email",
        column="H",
        cell="clinic300.example.org",
        code="bad_email",
    ),
    Trouble(
        resource="therapists",
        entity="therapists",
        first=7,
        last=4,
        row_number=1201,
        key="T-1200",
        name="Hugo Sato",
        field="Email",
        column="C",
        cell="therapist1199@example.org",
        code="not_unique",
    ),
)
ONCE = (  # mistakes that occur for one run: field, column, cell, code
    ("Phone", "D", "08 9", "bad_phone"),
    ("Email", "C", "therapist at example", "bad_email"),
    ("Start date", "H", "31/02/2026", "impossible_date"),
    ("Name", "B", "", "required"),
)
ONCE_IN = 0.04  # of the runs of therapists

OUTAGES = {  # resource, first and last day back from now -> what ended every other run
    ("therapists", 58, 57): SyncError("csv_unavailable", name="The CSV", why="it took too long"),
    ("locations", 31, 31): SyncError(
        "missing_column",
        each=[{"label": "Phone", "hint": " Did you mean 'Telephone'?"}],
        sheet="Locations",
    ),
}
CHANCE_ERRORS = (
    SyncError("source_changed_while_reading", name="The file 'therapists.csv'"),
    SyncError("csv_outage", name="The CSV", status=503),
    SyncError("google_busy"),
)
FAILS, TIMES_OUT, CANCELS = 0.025, 0.006, 0.025
TRIES_AGAIN = 0.8

# From these days on (counted back from now) the sheets had a column more.
COLUMNS_ADDED = {"therapists": (76, "Notes"), "locations": (31, "Manager")}
SLOWER_SINCE, SLOWER = 24, 1.35  # days back; how much slower therapists became


@dataclass(frozen=True)
class Episode:
    """One made-up run."""

    at: datetime
    days_back: int
    resource: str
    person: Person
    status: RunStatus
    wait: float  # seconds
    seconds: float
    error: SyncError | None
    troubles: tuple[Trouble, ...]


def tell(now: datetime, zone: ZoneInfo, chance: Random) -> Iterator[Episode]:
    """Tell the runs of the last 90 days, oldest first: busy on working days, few at weekends."""
    for days_back in range(DAYS - 1, -1, -1):
        day = (now.astimezone(zone) - timedelta(days=days_back)).replace(minute=0, second=0)
        told = [
            episode for first in _day(day, days_back, chance) for episode in _tries(first, chance)
        ]
        yield from sorted(
            (episode for episode in told if episode.at < now - REST), key=lambda episode: episode.at
        )


def _day(day: datetime, days_back: int, chance: Random) -> Iterator[Episode]:
    weekend = day.weekday() >= SATURDAY
    for _ in range(_how_many(chance, weekend=weekend)):
        yield _episode(_moment(day, chance), days_back, chance)


def _tries(first: Episode, chance: Random) -> Iterator[Episode]:
    """Let people try again soon after most failures; most second tries go well."""
    yield first
    if first.error and chance.random() < TRIES_AGAIN:
        patience = timedelta(seconds=first.seconds, minutes=chance.randrange(4, 50))
        again = _episode(first.at + patience, first.days_back, chance, first.resource)
        yield replace(again, person=first.person)


def _how_many(chance: Random, *, weekend: bool) -> int:
    return chance.choice((0, 0, 0, 1)) if weekend else chance.randrange(7, 14)


def _moment(day: datetime, chance: Random) -> datetime:
    (hour,) = chance.choices(list(HOURS), list(HOURS.values()))
    seconds = chance.randrange(3600)
    return day.replace(hour=hour, minute=seconds // 60, second=seconds % 60)


def _episode(at: datetime, days_back: int, chance: Random, resource: str | None = None) -> Episode:
    if resource is None:
        (resource,) = chance.choices(list(HABITS), [habit.share for habit in HABITS.values()])
    habit = HABITS[resource]
    (person,) = chance.choices(STAFF, habit.staff)
    status, error = _ending(resource, days_back, chance)
    troubles = (
        tuple(_troubles(resource, days_back, chance)) if status == RunStatus.COMPLETED else ()
    )
    slower = SLOWER if resource == "therapists" and days_back <= SLOWER_SINCE else 1.0
    return Episode(
        at=at,
        days_back=days_back,
        resource=resource,
        person=person,
        status=RunStatus.PARTIAL if troubles else status,
        wait=round(chance.expovariate(1.2) + 0.1, 3),
        seconds=3600.0
        if status == RunStatus.TIMED_OUT
        else _seconds(habit.seconds * slower, chance),
        error=error,
        troubles=troubles,
    )


def _seconds(usual: float, chance: Random) -> float:
    return round(usual * math.exp(chance.gauss(0, 0.25)), 3)


def _ending(resource: str, days_back: int, chance: Random) -> tuple[RunStatus, SyncError | None]:
    for (which, first, last), error in OUTAGES.items():
        if which == resource and last <= days_back <= first and chance.random() < 0.6:  # noqa: PLR2004
            return RunStatus.FAILED, error
    roll = chance.random()
    if roll < FAILS:
        return RunStatus.FAILED, chance.choice(CHANCE_ERRORS)
    if roll < FAILS + TIMES_OUT:
        return RunStatus.TIMED_OUT, SyncError("timed_out", minutes=60)
    cancelled = roll < FAILS + TIMES_OUT + CANCELS
    return RunStatus.CANCELLED if cancelled else RunStatus.COMPLETED, None


def _troubles(resource: str, days_back: int, chance: Random) -> Iterator[Trouble]:
    for trouble in TROUBLES:
        if trouble.resource == resource and trouble.last <= days_back <= trouble.first:
            yield trouble
    if resource == "therapists" and chance.random() < ONCE_IN:
        number = chance.randrange(2, 1500)
        key = f"T-{number:04d}"
        wrong = chance.choice(ONCE)
        name = "" if wrong[0] == "Name" else f"Therapist {number}"
        yield Trouble(resource, resource, 0, 0, number + 1, key, name or key, *wrong)
