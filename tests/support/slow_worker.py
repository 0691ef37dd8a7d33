"""A worker whose pages are small and slow, so that faults find it at work.

The environment says how slow: SLOW_PAGE, SLOW_PLAN, SLOW_APPLY, in seconds; with LOG it names a
file for what the worker writes. With WITHOUT_FENCE its work-horses believe in their lease for ever,
which a chaos run must notice. HUNGRY names who takes all memory there is where pages are read:
`python` or `polars`. From CLOCK_START on (seconds since 1970) schedules tick CLOCK_SPEED times as
fast.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import polars as pl
import sqlalchemy as sa

from sync_core.engine import importer, plan
from sync_core.execution import maintenance, redis_outage, worker
from sync_core.foundation import tables
from sync_core.runs import lease
from sync_core.runs.lease import Claim
from sync_core.sources.cliniko import lists
from sync_core.sources.files import csv_rows, table_file
from sync_core.sources.google import rows, sheets

BLOCK = 4096  # bytes of a page: about a hundred rows
GOOGLE_ROWS = 100  # of a page
CALM_SECONDS = 4.0  # between errors of Redis, twice as long as a worker waits for a job

TOLD: dict[str, str] = {}  # the environment

P = ParamSpec("P")
T = TypeVar("T")


def slow_items(name: str) -> Callable[[Callable[P, Iterator[T]]], Callable[P, Iterator[T]]]:
    """Make an iterator's function pause before each item."""

    def wrap(function: Callable[P, Iterator[T]]) -> Callable[P, Iterator[T]]:
        @wraps(function)
        def slowly(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
            for item in function(*args, **kwargs):
                time.sleep(seconds(name))
                yield item

        return slowly

    return wrap


def slow_end(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a function pause at its end, inside the transaction that it works in."""

    def wrap(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def slowly(*args: P.args, **kwargs: P.kwargs) -> T:
            done = function(*args, **kwargs)
            time.sleep(seconds(name))
            return done

        return slowly

    return wrap


def seconds(name: str) -> float:
    return float(TOLD.get(name, "0"))  # a work-horse has forgotten what is not of its run


def change(where: object, name: str, how: Callable[[T], T]) -> None:
    setattr(where, name, how(getattr(where, name)))


def be_slow() -> None:
    change(table_file, "open_csv", lambda open_csv: partial(open_csv, block=BLOCK))
    change(csv_rows.CsvSheet, "pages", slow_items("SLOW_PAGE"))
    change(lists.ClinikoList, "pages", slow_items("SLOW_PAGE"))
    change(sheets.GoogleTab, "pages", slow_items("SLOW_PAGE"))
    change(rows, "PAGE_ROWS", lambda _rows: GOOGLE_ROWS)
    change(redis_outage, "CALM_SECONDS", lambda _seconds: CALM_SECONDS)
    change(plan, "make", slow_end("SLOW_PLAN"))
    change(importer, "apply", slow_end("SLOW_APPLY"))


def hungry_items(pages: Callable[P, Iterator[T]]) -> Callable[P, Iterator[T]]:
    """Make an iterator's function take all memory that is given, before its first item."""

    @wraps(pages)
    def hungrily(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        held: list[object] = []
        while True:
            one = bytearray if TOLD["HUNGRY"] == "python" else _column
            held.append(one(10_000_000))
        yield from pages(*args, **kwargs)

    return hungrily


def _column(size: int) -> pl.Series:
    return pl.Series([1]).new_from_index(0, size // 8)


def remove_the_fence() -> None:
    def no_fence(_connection: sa.Connection, _held: Claim) -> None:
        """Let every write pass."""

    def any_attempt(held: Claim) -> lease.Conditions:
        return [tables.runs.c.id == held.run_id]

    change(lease, "fence", lambda _fence: no_fence)
    change(lease, "_is_held", lambda _is_held: any_attempt)


def hurry(start: float, speed: float) -> None:
    """Let the clock of maintenance hurry from a start on, in seconds since 1970."""

    def fast() -> datetime:
        return datetime.fromtimestamp(start + (time.time() - start) * speed, UTC)

    change(maintenance, "clock", lambda _clock: fast)


def maintain(environment: Mapping[str, str]) -> None:
    """Be a maintenance alone until told to stop, in a process of its own."""
    os.environ.update(environment)
    TOLD.update(os.environ)
    if "CLOCK_START" in os.environ:
        hurry(seconds("CLOCK_START"), seconds("CLOCK_SPEED"))
    maintenance.main()


def main(options: Sequence[str], environment: Mapping[str, str]) -> None:
    """Be a worker until told to stop, in a process of its own."""
    os.environ.update(environment)
    TOLD.update(os.environ)
    if path := environment.get("LOG"):
        with Path(path).open("a") as log:
            os.dup2(log.fileno(), sys.stderr.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # RQ logs to both
    sys.argv = ["worker.py", *options]
    be_slow()
    if "HUNGRY" in os.environ:
        change(csv_rows.CsvSheet, "pages", hungry_items)
    if "CLOCK_START" in os.environ:
        hurry(seconds("CLOCK_START"), seconds("CLOCK_SPEED"))
    if "WITHOUT_FENCE" in os.environ:
        remove_the_fence()
    worker.main()
