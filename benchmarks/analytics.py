"""How long the questions of the analytics page take: `python -m benchmarks.analytics`.

Fills a database of its own with a million runs and ten million outcomes first; `--folder` keeps it
for the next time.
"""

import argparse
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

parser = argparse.ArgumentParser(description="Time the questions of the analytics page.")
parser.add_argument("--runs", type=int, default=1_000_000)
parser.add_argument("--days", type=int, nargs="+", default=[30, 90], help="periods to ask for")
parser.add_argument("--repeat", type=int, default=5)
parser.add_argument("--folder", type=Path, help="where the filled database is kept")
parser.add_argument("--only", default="", help="questions whose name holds this, without the page")
parser.add_argument("--page", action="store_true", help="the page only")
OPTIONS = parser.parse_args()
DATA = (OPTIONS.folder or Path(tempfile.mkdtemp(prefix="syncdesk-analytics-"))).resolve()
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ["SYNCDESK_DATA"] = str(DATA)

import psycopg
from streamlit.testing.v1 import AppTest

from benchmarks import made_up_runs
from sync_core import organizations
from sync_core.analytics import freshness, habits, key_figures, over_time, reasons
from sync_core.catalogue import resources
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.runs.filters import Filter
from sync_core.ui import SCRIPT
from tests.support import sign_ins

GOAL, PAGE_GOAL = 300, 2_000  # milliseconds
ZONE = ZoneInfo("Australia/Perth")
MANAGER = Person("Michael Tan", "michael.tan@example.org", Role.MANAGER, "Marketing")
Question = Callable[..., object]

QUESTIONS: Mapping[str, Question] = {
    "key figures of runs": key_figures.of_runs,
    "key figures of rows": key_figures.of_rows,
    "time to recover": key_figures.of_recovery,
    "outcomes, success by day": lambda c, w: over_time.ended(c, w, ZONE, "day"),
    "durations by day": lambda c, w: over_time.took(c, w, ZONE, "day"),
    "wait and work by day": lambda c, w: over_time.waited(c, w, ZONE, "day"),
    "rows by day": lambda c, w: over_time.handled(c, w, ZONE, "day"),
    "marks": lambda c, w: over_time.marks(c, w, ZONE, "day"),
    "resources": habits.of_resources,
    "reasons of runs": reasons.of_runs,
    "reasons of rows": reasons.of_rows,
    "rows of a reason": lambda c, w: reasons.rows(c, w, "bad_phone", [MANAGER]),
    "repeat offenders": lambda c, w: reasons.offenders(c, w, [MANAGER]),
    "hours of the week": lambda c, w: habits.hours(c, w, ZONE),
    "people": habits.done,
    "phases": habits.phases,
    "duration against rows": habits.points,
    "last runs": lambda c, w: habits.last(c, w, list(resources.CATALOGUE), 30),
    "kept fresh": freshness.kept,
    "triggers": habits.triggers,
}


def main() -> None:
    """Fill the database where it is empty, and print how long each question takes."""
    try:
        urls = settings.urls()
        db.prepare()
        organization = _filled(urls.owner.replace("+psycopg", ""))
        if not OPTIONS.page:
            _time_the_questions(organization)
        if not OPTIONS.only:
            _time_the_page(organization)
    finally:
        db.engine().dispose()
        embedded.release(60)
        if OPTIONS.folder is None:
            shutil.rmtree(DATA, ignore_errors=True)


def _time_the_questions(organization: organizations.Organization) -> None:
    print(f"\n{_machine()}, {OPTIONS.runs:,} runs over {made_up_runs.DAYS} days\n")
    print(f"| question | {' | '.join(f'{days} days' for days in OPTIONS.days)} |")
    print(f"|---|{'---|' * len(OPTIONS.days)}")
    for name, question in QUESTIONS.items():
        if OPTIONS.only in name:
            cells = (_told(question, _period(organization, days)) for days in OPTIONS.days)
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _filled(url: str) -> organizations.Organization:
    with db.everywhere() as connection:
        known = {found.slug: found for found in organizations.everyone(connection)}
    if "benchmark" in known:
        return known["benchmark"]
    with psycopg.connect(url, autocommit=True) as connection:
        organization = made_up_runs.fill(connection, OPTIONS.runs)
    with db.everywhere() as ours:
        people.add(ours, organization.id, MANAGER)
    return organization


def _period(organization: organizations.Organization, days: int) -> Filter:
    now = datetime.now(UTC)
    since = now - timedelta(days=days)
    return Filter(organizations=(organization.id,), since=since, until=now)


def _told(question: Question, wanted: Filter) -> str:
    took = []
    for _ in range(OPTIONS.repeat + 1):
        start = time.perf_counter()
        with db.everywhere() as connection:
            question(connection, wanted)
        took.append(1000 * (time.perf_counter() - start))
    middle = median(took[1:])
    return f"{middle:.0f} ms{' (over the goal)' if middle > GOAL else ''}"


def _time_the_page(organization: organizations.Organization) -> None:
    """Run the whole page as Streamlit does, without a browser; nothing of it is cached."""
    import streamlit as st  # noqa: PLC0415 - only a page's process needs it

    print("\n| the page | time |\n|---|---|")
    for period in (f"{days} days" for days in OPTIONS.days):
        page = AppTest.from_file(SCRIPT, default_timeout=120)
        page.user = sign_ins.claims(MANAGER.email)
        page.query_params["org"] = organization.slug
        page.query_params["period"] = period
        page.run()
        page.switch_page(str(ROOT / "pages" / "analytics.py")).run()
        if f"Each beside the {period} before." not in [text.value for text in page.caption]:
            raise RuntimeError(f"The page shows another period than {period}.")
        took = []
        for _ in range(OPTIONS.repeat):
            st.cache_resource.clear()
            start = time.perf_counter()
            page.run()
            took.append(1000 * (time.perf_counter() - start))
        middle = median(took)
        told = f"{middle:.0f} ms{' (over the goal)' if middle > PAGE_GOAL else ''}"
        print(f"| {period} | {told} |", flush=True)


def _machine() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
