"""How long the first page of a preview takes: `python -m benchmarks.preview`.

Previews a sheet in which every row of a table has another cell, and some fail, on embedded servers
of its own in a temporary folder.
"""

import argparse
import csv
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from statistics import median

parser = argparse.ArgumentParser(description="Time the first page of a preview.")
parser.add_argument("--rows", type=int, default=100_000)
parser.add_argument("--repeat", type=int, default=5)
OPTIONS = parser.parse_args()
DATA = Path(tempfile.mkdtemp(prefix="syncdesk-preview-")).resolve()
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ |= {"SYNCDESK_DATA": str(DATA), "SYNCDESK_COOLDOWN": "0.1"}

from streamlit.testing.v1 import AppTest

from benchmarks.data import HEADER, locations
from sync_core import organizations, runs
from sync_core.catalogue import resources
from sync_core.execution import attempt
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import OutcomeKind, Role
from sync_core.operations import administration, syncs
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.records import outcomes, reasons
from sync_core.records.outcomes import Wanted
from sync_core.runs import Run
from sync_core.ui import SCRIPT
from tests.support import sign_ins
from tests.support.desk import own_folder

GOAL = 1_000  # milliseconds
ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT")
ALL = [OutcomeKind.UPDATED, OutcomeKind.FAILED]
Question = Callable[..., object]
QUESTIONS: Mapping[str, Question] = {
    "how many rows": lambda c, r: outcomes.count(c, r, Wanted(ALL), ANA),
    "first rows": lambda c, r: outcomes.read(c, r, Wanted(ALL), ANA),
    "last rows": lambda c, r: outcomes.read(c, r, Wanted(ALL, offset=OPTIONS.rows - 50), ANA),
    "search": lambda c, r: outcomes.count(c, r, Wanted(ALL, search="clinic 999"), ANA),
    "one field": lambda c, r: outcomes.count(c, r, Wanted(ALL, field="phone"), ANA),
    "one reason": lambda c, r: outcomes.count(c, r, Wanted(ALL, reason="bad_phone"), ANA),
    "which fields": outcomes.by_column,
    "which reasons": reasons.of_run,
}


def main() -> None:
    """Preview the sheet, and print how long each question and the whole page take."""
    try:
        settings.urls()
        db.prepare()
        run = _previewed()
        print(f"\n{OPTIONS.rows:,} rows: {run.message}\n\n| what | time |\n|---|---|")
        for name, question in QUESTIONS.items():
            print(f"| {name} | {_told(lambda: _ask(question, run))} |", flush=True)  # noqa: B023 - asked at once
        print(f"| **the whole page, nothing cached** | {_told(_page())} |")
    finally:
        db.engine().dispose()
        embedded.release(60)
        shutil.rmtree(DATA, ignore_errors=True)


def _previewed() -> Run:
    """Sync a sheet, then preview it with another cell in each row."""
    with db.everywhere() as connection:
        there = organizations.add(connection, "preview", "Northwind Care", "AU", "Australia/Perth")
        people.add(connection, there.id, ANA)
    folder = own_folder(there.slug)
    administration.set_source(there, ANA, resources.by_name("locations"), "folder:.")
    _write(folder, lambda _, row: row)
    _work(there, syncs.start)
    _write(folder, _changed)
    return _work(there, syncs.preview)


def _write(folder: Path, change: Callable[[int, list[str]], list[str]]) -> None:
    with (folder / "locations.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(
            change(number, row) for number, row in enumerate(islice(locations(), OPTIONS.rows))
        )


def _changed(number: int, row: list[str]) -> list[str]:
    label, cell = [("City", "Geelong"), ("Phone", "0412345678"), ("Name", f"Renamed {number}")][
        number % 3
    ]
    if number % 50 == 0:
        label, cell = "Phone", "no phone"
    place = HEADER.index(label)
    return [*row[:place], cell, *row[place + 1 :]]


def _work(there: Organization, operation: Callable[..., Run]) -> Run:
    run = operation(there, "locations", ANA, "benchmark")
    attempt.work(run.id)
    with db.everywhere() as connection:
        return runs.get(connection, there.id, run.id)


def _ask(question: Question, run: Run) -> None:
    with db.everywhere() as connection:
        question(connection, run)


def _page() -> Callable[[], None]:
    """Return what draws the page of the resource as Streamlit does, without a browser."""
    import streamlit as st  # noqa: PLC0415 - only a page's process needs it

    page = AppTest.from_file(SCRIPT, default_timeout=120)
    page.user = sign_ins.claims(ANA.email)
    page.query_params["org"] = "preview"
    page.run()
    page.switch_page(str(ROOT / "pages" / "locations.py")).run()
    if "What this sync would do" not in [head.value for head in page.subheader]:
        raise RuntimeError("The page shows no plan.")

    def draw() -> None:
        st.cache_resource.clear()
        page.run()

    return draw


def _told(action: Callable[[], None]) -> str:
    took = []
    for _ in range(OPTIONS.repeat + 1):
        start = time.perf_counter()
        action()
        took.append(1000 * (time.perf_counter() - start))
    middle = median(took[1:])
    return f"{middle:.0f} ms{' (over the goal)' if middle > GOAL else ''}"


if __name__ == "__main__":
    main()
