"""Measure the file of the audit trail against Postgres' own COPY: `python -m benchmarks.export`.

Both write the same million of runs to nobody. The base is psql's `COPY ... TO STDOUT` of the table
of the runs, whole and in the file's order; ours has the counts of each run beside it, harmless
cells, ISO times, RFC 4180, a SHA-256, a manifest, and passes through Python.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psutil

DATA = Path(tempfile.mkdtemp(prefix="syncdesk-export-"))
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ["SYNCDESK_DATA"] = str(DATA)

from benchmarks import trail
from sync_core.audit import exports
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs.filters import Filter

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT")
MB = 1_000_000


def main() -> None:
    """Fill, measure, and print ratio and memory."""
    options = _options()
    try:
        settings.urls()
        db.prepare()
        organization = trail.fill(options.rows)
        base = [_copy(organization) for _ in range(options.repeat)]
        idle = _memory()
        peak, ours = _watched(lambda: [_export(organization) for _ in range(options.repeat)])
        print(f"\n{options.rows:,} runs, median of {options.repeat}")
        print(f"psql COPY of the runs: {median(base):.1f} s")
        print(f"the audit's file: {median(ours):.1f} s, {median(base) / median(ours):.2f}x as fast")
        print(f"memory: {peak - idle:.0f} MB above the {idle:.0f} MB of idleness")
    finally:
        db.engine().dispose()
        embedded.release(20)
        shutil.rmtree(DATA, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the file of the audit trail.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    return parser.parse_args()


def _copy(organization: Organization) -> float:
    runs = f"select * from runs where organization_id = {organization.id}"
    query = f"copy ({runs} order by queued_at desc, id desc) to stdout (format csv)"
    program = embedded._postgres("psql")  # noqa: SLF001 - the binary beside the server
    address = settings.urls().owner.replace("+psycopg", "")
    start = time.perf_counter()
    subprocess.run([program, "-qXd", address, "-c", query], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _export(organization: Organization) -> float:
    """Write the file of all runs, without their actions, as the route does."""
    wanted = Filter(organizations=(organization.id,), status=trail.STATUSES)
    written = exports.Written()
    start = time.perf_counter()
    for _ in exports.write(exports.trail([(organization, ANA)], wanted), written):
        pass
    seconds = time.perf_counter() - start
    print(f"{written.rows:,} rows, {written.size / MB:.0f} MB: {seconds:.1f} s", file=sys.stderr)
    return seconds


def _memory() -> float:
    return psutil.Process().memory_info().rss / MB


def _watched(work: Callable[[], list[float]]) -> tuple[float, list[float]]:
    """Do the work; returns the most memory that it took, and its result."""
    done, most = threading.Event(), [0.0]

    def look() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], _memory())

    watching = threading.Thread(target=look)
    watching.start()
    try:
        return_value = work()
    finally:
        done.set()
        watching.join()
    return most[0], return_value


if __name__ == "__main__":
    main()
