"""Measure the engine against psql and its peers: `python -m benchmarks.engine`.

All in one run, one after the other and again: ratios hold within a run only, for the machine's
load moves the seconds.
"""

import argparse
import gc
import multiprocessing
import os
import platform
import resource
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import sqlalchemy as sa

DATA = Path(tempfile.mkdtemp(prefix="syncdesk-benchmark-"))
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ["SYNCDESK_DATA"] = str(DATA / "servers")
os.environ["SYNCDESK_COOLDOWN"] = "0.001"

from benchmarks import candidates, data
from benchmarks.candidates import Candidate
from sync_core.catalogue import fields
from sync_core.engine import staging
from sync_core.foundation import db, embedded, settings

FORK = multiprocessing.get_context("fork")  # as a worker makes its work-horse, all imports done
T = TypeVar("T")

CASES = ("first load", "10 % changed", "nothing changed")
Measured = dict[tuple[str, str], list[float]]  # by candidate's name and case


def main() -> None:
    """Measure each number of rows, and print a table of it."""
    options = _options()
    fields.warm_up()  # as a worker does
    gc.freeze()
    try:
        settings.urls()
        _apart(db.prepare)
        DATA.chmod(0o755)
        for rows in options.rows:
            _measure(rows, options.repeat, candidates.everyone(slow=not options.quick))
    finally:
        embedded.release(20)
        shutil.rmtree(DATA, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the engine against psql and peers.")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="without the slow peers")
    return parser.parse_args()


def _measure(rows: int, repeat: int, field: Sequence[Candidate]) -> None:
    first, changed = data.write(DATA, rows)
    seconds: Measured = defaultdict(list)
    memory: Measured = defaultdict(list)
    for turn in range(repeat):
        order = [*field[turn % len(field) :], *field[: turn % len(field)]]
        for candidate in order:
            _apart(candidate.empty)
        for case, file in zip(CASES, (first, changed, changed), strict=True):
            for candidate in order:
                took, peak = _apart(partial(_timed, candidate, file))
                _apart(partial(_settle, candidate, rows))
                seconds[candidate.name, case].append(took)
                memory[candidate.name, case].append(peak)
                print(f"{rows:,} rows, {case}: {candidate.name} {took:.2f} s", file=sys.stderr)
    _print_table(rows, repeat, field, seconds)
    ours = [peak for case in CASES for peak in memory[field[1].name, case]]
    print(f"\nPeak memory of our work-horse: {max(ours):.0f} MB.")


def _timed(candidate: Candidate, file: Path) -> tuple[float, float]:
    """Load a file; returns the seconds, and the process's peak of resident memory in MB."""
    seconds = candidate.load(file)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _settle(candidate: Candidate, rows: int) -> None:
    """See that all rows are there, and leave nothing to do for the next candidate's servers."""
    candidates.psql(f"vacuum (analyze) {candidate.table}", "checkpoint")
    with db.everywhere() as connection:
        staging.drop_ended(connection)
        found = connection.execute(sa.text(f"select count(*) from {candidate.table}")).scalar_one()
    if found != rows:
        raise RuntimeError(f"{candidate.name}: {found} of {rows} rows are there.")


def _apart(work: Callable[[], T]) -> T:
    """Do some work in a process of its own, and give its result."""
    result, promise = FORK.Pipe(duplex=False)
    process = FORK.Process(target=lambda: promise.send(work()))
    process.start()
    promise.close()
    try:
        return result.recv()  # type: ignore[no-any-return] # a pipe carries anything
    except EOFError:
        sys.exit("A candidate failed; the reason stands above.")
    finally:
        process.join()


def _print_table(rows: int, repeat: int, field: Sequence[Candidate], seconds: Measured) -> None:
    """Print medians, and multiples of the base's median of the same case."""
    base = field[0].name
    turns = f"median of {repeat}" if repeat > 1 else "measured once"
    print(f"\n{rows:,} rows x {len(data.HEADER)} columns, {turns}, {_machine()}\n")
    print(f"| way | {' | '.join(CASES)} |\n|---|{'---|' * len(CASES)}")
    for candidate in field:
        cells = []
        for case in CASES:
            took = median(seconds[candidate.name, case])
            cells.append(f"{took:.2f} s, {took / median(seconds[base, case]):.1f}x")
        print(f"| {candidate.name} | {' | '.join(cells)} |", flush=True)


def _machine() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
