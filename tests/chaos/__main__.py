"""Throw faults at a whole Sync Desk for some minutes, and check what became of every run.

    python -m tests.chaos --minutes 5 --seed 1

Prints figures and broken promises; ends with 1 where there is any.
"""

import argparse
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
from sync_core.foundation import db, embedded, settings
from sync_core.operations import schedules, syncs
from sync_core.organizations import source_settings
from tests.chaos import ticks, verdict, witness
from tests.chaos.actors import PEOPLE, Crew, Lane, User, waiting
from tests.chaos.faults import Faults
from tests.chaos.figures import figures
from tests.chaos.sheets import KINDS, Sheet
from tests.support import processes, watching
from tests.support.unguarded import unguarded
from tests.support.waiting import eventually

ORGANIZATIONS = ("north", "south")
USERS = 3
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
            return _chaos(Path(folder), options)
        finally:
            embedded.release(20)


def _set_environment(folder: Path) -> None:
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    os.environ |= {
        "SYNCDESK_DATA": str(folder / "data"),
        "SYNCDESK_COOLDOWN": "0.2",
        "SYNCDESK_TIME_LIMIT": str(verdict.LIMIT),
    }


def _send_logs_to(path: Path) -> None:
    """Let this process, and all that it starts, log to a file."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    print("log:", path)


def _chaos(folder: Path, options: argparse.Namespace) -> int:
    settings.urls()
    db.prepare()
    witness.install()
    lanes = _lanes(folder, options.seed)
    start = datetime.now(UTC)
    _schedule(lanes, start)
    clock = {"CLOCK_START": str(start.timestamp()), "CLOCK_SPEED": str(SPEED)}
    crew = Crew(SLOW | clock | ({"WITHOUT_FENCE": "1"} if options.without_fence else {}))
    crew.begin()
    users, faults = _disturb(crew, lanes, options)
    began = time.monotonic()
    _settle(crew, lanes)
    print(f"settled after {time.monotonic() - began:.1f} s")
    crew.end()
    _within(10, lambda: not processes.left())
    return _report(lanes, users, faults)


def _lanes(folder: Path, seed: int) -> list[Lane]:
    """Return each organization every resource, with sheets of its own."""
    lanes = []
    for slug in ORGANIZATIONS:
        home = folder / slug
        home.mkdir()
        with db.begin() as connection:
            organization = organizations.add(connection, slug, slug.title())
        for resource in resources.CATALOGUE.values():
            if resource.entities[0].name not in KINDS:
                continue  # it is not read from sheets
            sheets = tuple(
                Sheet(home, organization.id, entity, f"{seed} {slug} {entity.name}")
                for entity in resource.entities
            )
            for sheet in sheets:
                sheet.publish()
            found = source_settings.parse(
                organization, resource, f"folder:{home}", None, None, home
            )
            with db.begin() as connection:
                source_settings.save(connection, organization, found)
            unguarded(organization, resource.name)  # each version of a sheet changes most rows
            lanes.append(Lane(organization, resource.name, sheets))
    return lanes


def _schedule(lanes: list[Lane], now: datetime) -> None:
    """Sync each lane by itself, too, every few minutes of a clock that hurries."""
    for number, lane in enumerate(lanes):
        every = f"{number % 3}-59/{9 + number % 4} * * * *"
        schedules.put(lane.organization, lane.resource, PEOPLE[0], every, now)


def _disturb(
    crew: Crew, lanes: list[Lane], options: argparse.Namespace
) -> tuple[list[User], Faults]:
    """Let users press and faults happen until the time is over."""
    stop = threading.Event()
    users = [User(lanes, random.Random(f"{options.seed} {n}"), stop) for n in range(USERS)]
    faults = Faults(crew, random.Random(options.seed))
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
            syncs.cancel(lane.organization, run_id, PEOPLE[0])
        active = "select 1 from runs where finished_at is null"
        return not watching.ask(active) and not list(verdict.left_in_postgres())

    _within(verdict.LIMIT + 20, nothing_is_left)


def _within(seconds: float, comes_true: Callable[[], bool]) -> None:
    """Wait no longer than that: where it does not come true, the verdict will say so."""
    with suppress(TimeoutError):
        eventually(comes_true, seconds, despite=(sa.exc.DBAPIError, sa.exc.TimeoutError))


def _report(lanes: list[Lane], users: list[User], faults: Faults) -> int:
    done = verdict.read_runs()
    answers = sum((Counter(user.answers) for user in users), Counter[str]())
    print("faults:", dict(Counter(fault.name for fault in faults.done)))
    print("answers to users:", dict(answers))
    print("runs:", dict(Counter(run.status for run in done)))
    print("attempts:", dict(watching.ask("select ended, count(*) from attempts group by 1")))
    print("ticks:", dict(watching.ask(ticks.WHAT_BECAME_OF_THEM)))
    waits = [wait for user in users for wait in user.waits]
    measured = figures(faults.done, waits, verdict.LIMIT)
    for figure in measured:
        print(figure)
    accepted = [run for user in users for run in user.accepted]
    wrong = [
        *verdict.violations(lanes, accepted),
        *(f"too slow: {f}" for f in measured if f.broken),
    ]
    for sentence in wrong:
        print("BROKEN:", sentence)
    print(f"{len(faults.done)} faults, {len(done)} runs, {len(wrong)} broken promises")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
