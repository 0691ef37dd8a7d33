"""Measure a large Google Sheet: `python -m benchmarks.google [--rows 500000] [--columns 20]`.

A whole run, in a process as a worker makes it, from a server on loopback that answers as Google
does. What Google's own servers take, and its quota of 60 reads a minute, is not in the figures.
"""

import argparse
import gc
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

DATA = Path(tempfile.mkdtemp(prefix="syncdesk-benchmark-"))
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ["SYNCDESK_DATA"] = str(DATA / "servers")
os.environ["GOOGLE_READS_PER_MINUTE"] = "100000"

from sync_core import organizations, runs
from sync_core.catalogue import fields, resources
from sync_core.execution import attempt
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import source_settings
from sync_core.organizations.people import Person
from sync_core.runs import traffic
from tests.support.fakes.google import DEMO, Google
from tests.support.fakes.spreadsheets import LOCATION_HEADER, Lazy, Row, Tab, location

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT")
FORK = multiprocessing.get_context("fork")  # as a worker makes its work-horse, all imports done


def main() -> None:
    """Serve a sheet, sync it, and print what that took."""
    parser = argparse.ArgumentParser(description="Measure a large Google Sheet.")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--serve", action="store_true", help="only serve the sheet")
    options = parser.parse_args()
    if options.serve:
        _serve(options.rows, options.columns)
        return
    fields.warm_up()  # as a worker does
    gc.freeze()
    try:
        settings.urls()
        _apart(lambda _: db.prepare())
        with _served(options.rows, options.columns):
            print(_apart(partial(_sync, options.rows, options.columns)))
    finally:
        embedded.release(20)
        shutil.rmtree(DATA, ignore_errors=True)


def _serve(rows: int, columns: int) -> None:
    with Google() as google:
        google.add(Tab("Locations", Lazy(partial(_row, columns), rows + 1)))
        print(json.dumps({"url": google.url, "key": google.service_account()}), flush=True)
        threading.Event().wait()


def _row(columns: int, number: int) -> Row:
    """Return a location with notes beside it that no field reads."""
    more = range(1, columns - len(LOCATION_HEADER) + 1)
    notes = [f"Note {n}" if number == 0 else f"{number % 997} of {n}" for n in more]
    return [*location(number), *notes]


@contextmanager
def _served(rows: int, columns: int) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.google", "--serve"]
    command += ["--rows", str(rows), "--columns", str(columns)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout  # noqa: S101 - a pipe was asked for
        told = json.loads(server.stdout.readline())
        os.environ["GOOGLE_API_BASE_URL"] = told["url"]
        os.environ["GOOGLE_SERVICE_ACCOUNT_JSON"] = json.dumps(told["key"])
        settings.current.cache_clear()
        try:
            yield
        finally:
            server.terminate()


def _sync(rows: int, columns: int, promise: Connection) -> None:
    before = _peak()
    with db.everywhere() as connection:
        organization = organizations.add(connection, "benchmark", "Northwind Care")
        declared = resources.by_name("locations")
        found = source_settings.parse(organization, declared, DEMO, None, None)
        source_settings.save(connection, organization, found)
        run = runs.start(connection, organization.id, "locations", ANA, trigger="benchmark")
    wall, processor = time.perf_counter(), time.process_time()
    status = attempt.work(run.id)
    took, busy = time.perf_counter() - wall, time.process_time() - processor
    with db.everywhere() as connection:
        ended = runs.get(connection, organization.id, run.id)
        asked = traffic.of_run(connection, run.id)
    promise.send(
        f"{rows:,} rows x {columns} columns ({rows * columns:,} cells): {status}, {ended.message}"
        f"\n{took:.1f} s, {busy:.1f} s of processor time in the worker; {asked.requests} requests,"
        f" {asked.bytes / 2**20:.0f} MB of answers\npeak memory of the worker {_peak():.0f} MB, of"
        f" which its imports {before:.0f} MB"
    )


def _peak() -> float:
    """Return the peak of resident memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(work: Callable[[Connection], None]) -> object:
    """Do some work in a process of its own, and return what it sends; None if it sends nothing."""
    result, promise = FORK.Pipe(duplex=False)
    process = FORK.Process(target=work, args=(promise,))
    process.start()
    promise.close()
    try:
        return result.recv()  # a pipe carries anything
    except EOFError:
        return None
    finally:
        process.join()


if __name__ == "__main__":
    main()
