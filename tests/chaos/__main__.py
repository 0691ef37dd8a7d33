"""Throw faults at a whole Sync Desk for some minutes, and check what became of every run.

    python -m tests.chaos --minutes 5 --seed 1

Prints figures and broken promises; ends with 1 where there is any.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity, Resource
from sync_core.demo.cliniko import Account
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import cliniko_variable
from sync_core.operations import schedules, syncs
from sync_core.organizations import Organization, people, source_settings
from sync_core.sources import SourceSetting
from tests.chaos import ticks, told, verdict, witness
from tests.chaos.actors import PEOPLE, Crew, Lane, User, waiting
from tests.chaos.clinics import Clinic
from tests.chaos.faults import FAULTS, Faults
from tests.chaos.figures import figures
from tests.chaos.places import CsvFile, GoogleSheet, Place
from tests.chaos.sheets import KINDS, Sheet
from tests.chaos.source_faults import Sources
from tests.support import processes, watching
from tests.support.desk import own_folder
from tests.support.fakes.cliniko import Cliniko
from tests.support.fakes.google import Google
from tests.support.unguarded import unguarded
from tests.support.waiting import eventually

ORGANIZATIONS = ("north", "south")  # the one keeps files in a folder, the other at Google
GOOGLES = "south"
PATIENTS, APPOINTMENTS = 120, 60  # in an account of Cliniko
USERS = 3
ALL_FAULTS = 4  # minutes in which each kind of fault comes
SPEED = 60  # of the clock by which schedules tick: a minute a second
SLOW = {"SLOW_PAGE": "0.15", "SLOW_PLAN": "0.15", "SLOW_APPLY": "0.15"}  # seconds


def main() -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-fence", action="store_true", help="this must be noticed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="syncdesk-chaos-") as folder:
        _set_environment(Path(folder))
        _send_logs_to(settings.ROOT / "test-results" / f"chaos-{options.seed}.log")
        try:
            with Google() as google, Cliniko() as cliniko:
                return _chaos(google, cliniko, options)
        finally:
            embedded.release(20)


def _set_environment(folder: Path) -> None:
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    os.environ |= {
        "SYNCDESK_DATA": str(folder / "data"),
        "SYNCDESK_COOLDOWN": "0.2",
        "SYNCDESK_TIME_LIMIT": f"{verdict.LIMIT} patients={verdict.LIMIT}",
        "SYNCDESK_FETCH_TIMEOUT": "8",
        "GOOGLE_READS_PER_MINUTE": "6000",
    }


def _let_read(google: Google, cliniko: Cliniko) -> None:
    """Lead to the made-up Google and Cliniko, where each organization has an account."""
    os.environ |= {
        "GOOGLE_API_BASE_URL": google.url,
        "GOOGLE_SERVICE_ACCOUNT_JSON": json.dumps(google.service_account()),
        "CLINIKO_BASE_URL": cliniko.url,
        "CLINIKO_CONTACT": "it@example.org",
        **{cliniko_variable(slug): f"{slug}-au1" for slug in ORGANIZATIONS},
    }
    settings.current.cache_clear()


def _send_logs_to(path: Path) -> None:
    """Let this process, and all that it starts, log to a file."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    print("log:", path)


def _chaos(google: Google, cliniko: Cliniko, options: argparse.Namespace) -> int:
    _let_read(google, cliniko)
    settings.urls()
    db.prepare()
    witness.install()
    lanes = _lanes(google, cliniko, options.seed)
    sources = Sources([sheet for lane in lanes for sheet in lane.sheets], google, cliniko)
    start = datetime.now(UTC)
    _schedule(lanes, start)
    clock = {"CLOCK_START": str(start.timestamp()), "CLOCK_SPEED": str(SPEED)}
    crew = Crew(SLOW | clock | ({"WITHOUT_FENCE": "1"} if options.without_fence else {}))
    crew.begin()
    users, faults = _disturb(crew, lanes, sources, options)
    began = time.monotonic()
    _settle(crew, lanes)
    _sync_clinics(crew, lanes)
    print(f"settled after {time.monotonic() - began:.1f} s")
    crew.end()
    _within(10, lambda: not processes.left())
    return _report(lanes, users, faults, options.minutes)


def _lanes(google: Google, cliniko: Cliniko, seed: int) -> list[Lane]:
    """Return each organization every resource, with sources of its own."""
    lanes = []
    for slug in ORGANIZATIONS:
        with db.everywhere() as connection:
            organization = organizations.add(connection, slug, slug.title())
            for person in PEOPLE:
                people.add(connection, organization.id, person)
        for resource in resources.CATALOGUE.values():
            where = google if slug == GOOGLES else own_folder(slug)
            if resource.entities[0].name in KINDS:
                lane = Lane(
                    organization,
                    resource.name,
                    tuple(
                        _sheet(organization, entity, where, seed) for entity in resource.entities
                    ),
                )
            else:
                lane = Lane(organization, resource.name, (), _clinic(organization, cliniko, seed))
            _set_sources(lane, resource)
            unguarded(organization, resource.name)  # each version of a sheet changes most rows
            lanes.append(lane)
    return lanes


def _sheet(organization: Organization, entity: Entity, where: Google | Path, seed: int) -> Sheet:
    place: Place
    if isinstance(where, Google):
        place = GoogleSheet(where, f"1Chaos_{entity.name}-0123456789abcdef")
    else:
        place = CsvFile(where / f"{entity.name}.csv")
    sheet = Sheet(place, organization.id, entity, f"{seed} {organization.slug} {entity.name}")
    sheet.publish()
    return sheet


def _clinic(organization: Organization, cliniko: Cliniko, seed: int) -> Clinic:
    account = Account(PATIENTS, APPOINTMENTS, seed=seed)
    cliniko.add(f"{organization.slug}-au1", account)
    return Clinic(organization, account, random.Random(f"{seed} {organization.slug}"))


def _set_sources(lane: Lane, resource: Resource) -> None:
    places = {sheet.entity.name: sheet.place for sheet in lane.sheets}
    found = [
        _setting(lane.organization, resource, entity, places.get(entity.name))
        for entity in resource.entities
    ]
    with db.everywhere() as connection:
        source_settings.save(connection, lane.organization, found)


def _setting(
    organization: Organization, resource: Resource, entity: Entity, place: Place | None
) -> SourceSetting:
    kind, location = "cliniko", "cliniko"
    if isinstance(place, CsvFile):
        kind, location = "folder", "."
    elif isinstance(place, GoogleSheet):
        kind, location = "sheet", place.id
    return SourceSetting(
        organization=organization.slug,
        resource=resource.name,
        entity=entity.name,
        kind=kind,
        location=location,
    )


def _schedule(lanes: list[Lane], now: datetime) -> None:
    """Sync each lane by itself, too, every few minutes of a clock that hurries."""
    for number, lane in enumerate(lanes):
        every = f"{number % 3}-59/{9 + number % 4} * * * *"
        schedules.put(lane.organization, lane.resource, PEOPLE[0], every, now)


def _disturb(
    crew: Crew, lanes: list[Lane], sources: Sources, options: argparse.Namespace
) -> tuple[list[User], Faults]:
    """Let users press and faults happen until the time is over."""
    stop = threading.Event()
    users = [User(lanes, random.Random(f"{options.seed} {n}"), stop) for n in range(USERS)]
    faults = Faults(crew, sources, random.Random(options.seed))
    threads = [threading.Thread(target=user.press_on, daemon=True) for user in users]
    for thread in threads:
        thread.start()
    until = time.monotonic() + options.minutes * 60
    while time.monotonic() < until:
        time.sleep(faults.chance.uniform(0.8, 2.5))
        crew.replace_ended()
        faults.throw()
    stop.set()
    faults.wait()
    for thread in threads:
        thread.join(60)
    return users, faults


def _settle(crew: Crew, lanes: list[Lane]) -> None:
    """Wait until no run is active and nothing is left behind, or until that is hopeless.

    Schedules are paused, and plans on which nobody has decided are declined.
    """

    def nothing_is_left() -> bool:
        crew.replace_ended()
        for lane in lanes:
            schedules.pause(lane.organization, lane.resource, PEOPLE[0])
        for lane, run_id in waiting(lanes):
            with suppress(SyncError):  # it may have expired meanwhile
                syncs.cancel(lane.organization, run_id, PEOPLE[0])
        active = "select 1 from runs where finished_at is null"
        if watching.ask(active) or any(verdict.left_in_postgres()):
            return False
        return told.is_all_told()

    _within(verdict.LIMIT + 20, nothing_is_left)


def _sync_clinics(crew: Crew, lanes: list[Lane]) -> None:
    """Sync each account once more, now that nothing happens in it: the tables must be as it is."""
    time.sleep(settings.current().cooldown)
    for lane in lanes:
        if lane.clinic:
            syncs.start(lane.organization, lane.resource, PEOPLE[0], "chaos")
    _settle(crew, lanes)


def _within(seconds: float, comes_true: Callable[[], bool]) -> None:
    """Wait no longer than that: where it does not come true, the verdict will say so."""
    with suppress(TimeoutError):
        eventually(comes_true, seconds, despite=(sa.exc.DBAPIError, sa.exc.TimeoutError))


def _report(lanes: list[Lane], users: list[User], faults: Faults, minutes: float) -> int:
    done = verdict.read_runs()
    answers = sum((Counter(user.answers) for user in users), Counter[str]())
    thrown = Counter(fault.name for fault in faults.done)
    print("faults:", dict(thrown))
    print("answers to users:", dict(answers))
    print("runs:", dict(Counter(run.status for run in done)))
    print("errors:", dict(Counter(run.error_code for run in done if run.error_code)))
    print("notices:", dict(watching.ask(told.HOW_OFTEN)))
    print("attempts:", dict(watching.ask("select ended, count(*) from attempts group by 1")))
    print("ticks:", dict(watching.ask(ticks.WHAT_BECAME_OF_THEM)))
    waits = [wait for user in users for wait in user.waits]
    measured = figures(faults.done, waits, verdict.LIMIT)
    for figure in measured:
        print(figure)
    accepted = [run for user in users for run in user.accepted]
    wrong = [
        *verdict.violations(lanes, accepted, faults.done),
        *(f"too slow: {f}" for f in measured if f.broken),
        *(f"never thrown: {name}" for name in FAULTS if minutes >= ALL_FAULTS and not thrown[name]),
    ]
    for sentence in wrong:
        print("BROKEN:", sentence)
    print(f"{len(faults.done)} faults, {len(done)} runs, {len(wrong)} broken promises")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
