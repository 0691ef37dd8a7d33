"""Measure what one sync costs and leaves: `python -m benchmarks.footprint`.

A real worker syncs a large sheet twice, then a small one again and again: bytes of outcomes and of
runs, processor time, connections to Postgres. `benchmarks/scale.md` reckons with these figures.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ["SYNCDESK_COOLDOWN"] = "0.001"

from benchmarks.data import write
from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.execution import queue
from sync_core.foundation import db, embedded
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.organizations.people import Person
from tests.support import processes, watching
from tests.support.desk import own_folder

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN)
SMALL = 200  # rows of a usual sheet
OUTCOMES = """
select sum(pg_total_relation_size(inhrelid))::bigint from pg_inherits
where inhparent = 'outcomes'::regclass
"""
TABLE = "select pg_total_relation_size('locations')"
ALL = "select pg_database_size(current_database())"
CONNECTED = """
select count(*) from pg_stat_activity
where application_name <> '' and application_name <> :mine group by application_name
"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Measure what one sync costs and leaves.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="syncdesk-benchmark-") as folder:
        os.environ["SYNCDESK_DATA"] = str(Path(folder, "servers"))
        db.prepare()
        command = [sys.executable, str(ROOT / "worker.py")]
        worker = subprocess.Popen(command, cwd=ROOT)
        try:
            _wait(lambda: queue.workers() == 1)
            connections = _counting()
            _measure(Path(folder), options.rows, options.runs, worker.pid)
            print(f"connections of a worker at once: {max(connections)} at most")
        finally:
            worker.terminate()
            worker.wait(20)
            embedded.release(20)


def _measure(folder: Path, rows: int, count: int, worker: int) -> None:
    first, changed = write(folder, rows)
    large, small = _organization("large"), _organization("small")
    empty = _one(OUTCOMES), _one(TABLE)
    took = _sync(large, first)
    print(f"first load: {rows / took:,.0f} rows/s")
    loaded = _one(OUTCOMES), _one(TABLE)
    print(f"outcome of a created row: {(loaded[0] - empty[0]) / rows:.0f} bytes with its indexes")
    print(f"row of the table: {(loaded[1] - empty[1]) / rows:.0f} bytes with its indexes")
    took = _sync(large, changed)
    print(f"a tenth changed: {rows / took:,.0f} rows/s")
    print(f"outcome of an updated row: {(_one(OUTCOMES) - loaded[0]) / rows * 10:.0f} bytes")
    tiny, _ = write(folder, SMALL)
    _sync(small, tiny)
    before, cpu, start = _one(ALL), _cpu(worker), time.monotonic()
    for _ in range(count):
        _sync(small, tiny)
    seconds, used = (
        time.monotonic() - start,
        [b - a for a, b in zip(cpu, _cpu(worker), strict=True)],
    )
    print(f"a sync of {SMALL} rows that changes nothing: {seconds / count:.2f} s on the clock,")
    print(f"  processor {used[0] / count:.3f} s in the worker, {used[1] / count:.3f} s in Postgres")
    print(f"  and leaves {(_one(ALL) - before) / count:.0f} bytes")


def _organization(slug: str) -> Organization:
    resource = resources.by_name("locations")
    with db.everywhere() as connection:
        made = organizations.add(connection, slug, slug.title())
        found = source_settings.parse(made, resource, "folder:.", None, None)
        source_settings.save(connection, made, found)
    return made


def _sync(organization: Organization, file: Path) -> float:
    """Sync a file; returns the seconds from the claim to the end."""
    (own_folder(organization.slug) / "locations.csv").write_bytes(file.read_bytes())
    run = watching.ended(syncs.start(organization, "locations", ANA, "benchmark"), 600)
    if run.finished_at is None or run.started_at is None or run.status != "completed":
        raise RuntimeError(f"run {run.id} is {run.status}: {run.message}")
    return (run.finished_at - run.started_at).total_seconds()


def _cpu(worker: int) -> tuple[float, float]:
    """Return the processor seconds that the worker and Postgres have used, with their children."""
    return _used(worker), _used(processes.postmaster())


def _used(pid: int) -> float:
    """Return those of a process, of its living children and of those that have ended."""
    parent = psutil.Process(pid)
    times = [sum(parent.cpu_times()[:4])]
    for child in parent.children(recursive=True):
        try:
            times.append(sum(child.cpu_times()[:4]))
        except psutil.NoSuchProcess:
            continue
    return sum(times)


def _counting() -> list[int]:
    """Begin to count the connections of all others, ten times a second."""
    counted = [0]

    def count() -> None:
        while True:
            with suppress(*db.ERRORS):  # in the end Postgres is gone
                found = watching.ask(CONNECTED, mine=db.name())
                counted.append(sum(number for (number,) in found))
            time.sleep(0.1)

    threading.Thread(target=count, daemon=True).start()
    return counted


def _one(query: str) -> int:
    ((found,),) = watching.ask(query)
    return int(found or 0)


def _wait(comes_true: Callable[[], bool]) -> None:
    while not comes_true():
        time.sleep(0.1)


if __name__ == "__main__":
    main()
