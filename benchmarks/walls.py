"""What the walls between organizations cost: `python -m benchmarks.walls`.

The same imports and questions, in turns as the program's role, which the walls bind, and as the
role that owns the tables, whom they do not; on embedded servers of its own in a temporary folder.
Prints medians and their ratio, and where Postgres uses other indexes for a question behind walls.
"""

import argparse
import json
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

parser = argparse.ArgumentParser(description="Compare the program's role with the owner's.")
parser.add_argument("--rows", type=int, default=100_000)
parser.add_argument("--runs", type=int, default=100_000)
parser.add_argument("--repeat", type=int, default=5)
OPTIONS = parser.parse_args()
os.environ.pop("SYNCDESK_MIGRATION_DATABASE_URL", None)

import sqlalchemy as sa

from benchmarks import candidates, data, made_up_runs
from benchmarks.data import ENTITY
from benchmarks.engine import DATA, _apart
from sync_core import runs
from sync_core.analytics import habits, key_figures, over_time, reasons
from sync_core.audit import trail
from sync_core.foundation import db, embedded, settings
from sync_core.organizations import Organization
from sync_core.records import lookup, rows
from sync_core.records.rows import View
from sync_core.runs.filters import Filter
from tests.support import owner

Question = Callable[[db.Connection, Organization], object]
ANA, UTC = candidates.ANA, ZoneInfo("UTC")


def _all(organization: Organization, **more: Any) -> Filter:  # noqa: ANN401 - parts of a filter
    return Filter(organizations=(organization.id,), **more)


QUESTIONS: Mapping[str, Question] = {
    "a page of rows": lambda c, o: rows.read(c, o.id, ENTITY, View(), ANA),
    "rows with a rare word": lambda c, o: rows.read(c, o.id, ENTITY, View("zzyzx"), ANA),
    "count of rows": lambda c, o: rows.count(c, o.id, ENTITY),
    "a record by its name": lambda c, o: lookup.find(c, o.id, ANA, "Clinic 999", 20),
    "history of a resource": lambda c, o: runs.history(c, o.id, "locations", 50),
    "latest runs": lambda c, o: runs.latest(c, o.id),
    "latest runs in step": lambda c, o: runs.fresh(c, o.id),
    "filters of the trail": lambda c, o: trail.choices(c, [o.id]),
    "trail, newest": lambda c, o: trail.read(c, _all(o), 50),
    "trail, a frequent word": lambda c, o: trail.read(c, _all(o, search="locations"), 50),
    "trail, a rare word": lambda c, o: trail.read(c, _all(o, search="zzyzx"), 50),
    "trail, counted": lambda c, o: trail.count(c, _all(o)),
    "key figures": lambda c, o: key_figures.of_runs(c, _all(o)),
    "runs by day": lambda c, o: over_time.ended(c, _all(o), UTC, "day"),
    "people": lambda c, o: habits.done(c, _all(o)),
    "reasons of runs": lambda c, o: reasons.of_runs(c, _all(o)),
    "rows of a reason": lambda c, o: reasons.rows(c, _all(o), "bad_phone", [ANA]),
}
Measured = dict[tuple[str, str], list[float]]


def main() -> None:
    """Fill a database, time everything as both roles in turns, and print a table."""
    try:
        settings.urls()
        db.prepare()
        took: Measured = defaultdict(list)
        organization = _filled()
        _time_imports(took)
        _time_questions(organization, took)
        _print(took, {name: _other_indexes(q, organization) for name, q in QUESTIONS.items()})
    finally:
        db.engine().dispose()
        embedded.release(60)
        shutil.rmtree(DATA, ignore_errors=True)


@contextmanager
def _as(role: str) -> Iterator[None]:
    """Work over the address of a role, as if it was that of DATABASE_URL."""
    urls = embedded.servers(settings.current().data)
    os.environ |= {"DATABASE_URL": getattr(urls, role), "REDIS_URL": urls.redis}
    os.environ["SYNCDESK_MIGRATION_DATABASE_URL"] = urls.owner
    _forget()
    yield
    _forget()


def _forget() -> None:
    db.engine().dispose()
    db.engine.cache_clear()
    settings.current.cache_clear()


ROLES = {"as the program": "database", "as the owner": "owner"}


def _time_imports(took: Measured) -> None:
    ours = next(way for way in candidates.everyone(slow=False) if way.name == "Sync Desk")
    files = dict(zip(("first load", "10 % changed"), data.write(DATA, OPTIONS.rows), strict=True))
    for turn in range(OPTIONS.repeat):
        for role, address in sorted(ROLES.items(), reverse=bool(turn % 2)):
            with _as(address):
                candidates.psql(f"truncate {ENTITY.name}")
                for case, file in files.items():
                    took[case, role].append(_apart(partial(ours.load, file)))
                    candidates.psql(f"vacuum (analyze) {ENTITY.name}", "checkpoint")


def _filled() -> Organization:
    """Make up an organization with a long past."""
    with owner.connect() as connection:
        return made_up_runs.fill(connection, OPTIONS.runs)


def _time_questions(organization: Organization, took: Measured) -> None:
    for turn in range(OPTIONS.repeat + 1):
        for role, address in sorted(ROLES.items(), reverse=bool(turn % 2)):
            with _as(address):
                for name, question in QUESTIONS.items():
                    seconds = _timed(question, organization)
                    if turn:  # the first one warms
                        took[name, role].append(seconds)


def _timed(question: Question, organization: Organization) -> float:
    with db.within(organization.id) as connection:
        question(connection, organization)  # the plan of a prepared statement, and the pages
    start = time.perf_counter()
    with db.within(organization.id) as connection:
        question(connection, organization)
    return time.perf_counter() - start


def _other_indexes(question: Question, organization: Organization) -> str:
    found = {}
    for role, address in ROLES.items():
        with _as(address):
            found[role] = _indexes(question, organization)
    program, theirs = found.values()
    return "" if program == theirs else f"{sorted(program)} instead of {sorted(theirs)}"


def _indexes(question: Question, organization: Organization) -> set[str]:
    """Return the indexes, and tables without one, that Postgres reads for a question."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, values: Any, *_: object) -> None:  # noqa: ANN401
        asked.append((statement, values))

    with db.within(organization.id) as connection:
        sa.event.listen(connection, "before_cursor_execute", note)
        question(connection, organization)
        sa.event.remove(connection, "before_cursor_execute", note)
        plans = [
            connection.exec_driver_sql(f"explain (format json) {statement}", values).scalar_one()
            for statement, values in asked
            if statement.lstrip().lower().startswith(("select", "with"))
        ]
    return set(_named(json.loads(json.dumps(plans))))


def _named(plan: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(plan, dict):
        if "Index Name" in plan:
            yield plan["Index Name"]
        if plan.get("Node Type") == "Seq Scan":
            yield f"all of {plan['Relation Name']}"
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from _named(part)


def _print(took: Measured, other: Mapping[str, str]) -> None:
    program, theirs = ROLES
    print(f"\n{OPTIONS.rows:,} rows, {OPTIONS.runs:,} runs, medians of {OPTIONS.repeat}\n")
    print(f"| what | {program} | {theirs} | ratio | indexes |\n|---|---|---|---|---|")
    for what in dict.fromkeys(what for what, _ in took):
        bound, free = (median(took[what, role]) for role in ROLES)
        told = f"{1000 * bound:.1f} ms | {1000 * free:.1f} ms | {bound / free:.2f}"
        print(f"| {what} | {told} | {other.get(what) or 'the same'} |")


if __name__ == "__main__":
    main()
