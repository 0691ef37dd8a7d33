"""How long an undo takes beside the sync that it takes back: `python -m benchmarks.undo`.

A first load, a sync that changes a cell of every row, and one that removes every other row, each
undone, on embedded servers of its own in a temporary folder. The plan of a sync is made twice where
a guard lets it wait, and that of an undo always is: once to show it, once to prove that it holds.
"""

import argparse
import csv
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

parser = argparse.ArgumentParser(description="Time undos beside the syncs that they take back.")
parser.add_argument("--rows", type=int, default=100_000)
OPTIONS = parser.parse_args()
DATA = Path(tempfile.mkdtemp(prefix="syncdesk-undo-")).resolve()
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ |= {"SYNCDESK_DATA": str(DATA), "SYNCDESK_COOLDOWN": "0.001"}

from benchmarks.data import HEADER, locations
from sync_core import organizations, runs
from sync_core.catalogue import resources
from sync_core.execution import attempt
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.vocabulary import APPLIED, Removal, Role, RunStatus
from sync_core.operations import administration, syncs
from sync_core.organizations import Organization, people, policies
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.runs import Run
from tests.support.desk import own_folder

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT")
CITY = HEADER.index("City")
Rows = Iterable[list[str]]


def main() -> None:
    """Sync each sheet and undo it, and print how long both took."""
    try:
        settings.urls()
        db.prepare()
        there, folder = _organization()
        print(f"\n{OPTIONS.rows:,} rows\n\n| what | sync | its undo | ratio |\n|---|---|---|---|")
        for what, rows in _sheets():
            _write(folder, rows)
            synced, run = _timed(there, syncs.start)
            undone, undo = _timed(there, lambda *_, run=run: _undo(there, run))
            print(
                f"| {what} | {synced:.2f} s | {undone:.2f} s | {undone / synced:.2f}x |", flush=True
            )
            _timed(there, lambda *_, undo=undo: _undo(there, undo))  # as the next sheet expects it
    finally:
        db.engine().dispose()
        embedded.release(60)
        shutil.rmtree(DATA, ignore_errors=True)


def _organization() -> tuple[Organization, Path]:
    with db.everywhere() as connection:
        there = organizations.add(connection, "undo", "Northwind Care", "AU", "Australia/Perth")
        people.add(connection, there.id, ANA)
        policies.put(connection, there, "locations", Policy(removal=Removal.DELETE))
    folder = own_folder(there.slug)
    administration.set_source(there, ANA, resources.by_name("locations"), "folder:.")
    return there, folder


def _sheets() -> Iterable[tuple[str, Rows]]:
    rows = list(islice(locations(), OPTIONS.rows))
    yield "all rows created", rows
    changed = [[*row[:CITY], "Geelong", *row[CITY + 1 :]] for row in rows]
    yield "a cell of all rows updated", changed
    yield "every other row removed", changed[::2]


def _write(folder: Path, rows: Rows) -> None:
    with (folder / "locations.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)


def _undo(there: Organization, run: Run) -> Run:
    return syncs.undo(there, run.id, ANA, "benchmark")


def _timed(there: Organization, ask: Callable[..., Run]) -> tuple[float, Run]:
    """Return the seconds of a run, its confirmation included, and the run."""
    start = time.perf_counter()
    run = _work(there, ask(there, "locations", ANA, "benchmark"))
    if run.status == RunStatus.WAITING:
        run = _work(there, syncs.confirm(there, run.id, ANA, "benchmark"))
    if run.status not in APPLIED:
        raise RuntimeError(run.message)
    return time.perf_counter() - start, run


def _work(there: Organization, run: Run) -> Run:
    attempt.work(run.id)
    with db.everywhere() as connection:
        return runs.get(connection, there.id, run.id)


if __name__ == "__main__":
    main()
