"""What one draw of a page asks Postgres: nothing twice."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
import streamlit as st

from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db
from sync_core.foundation.settings import ROOT
from sync_core.runs import Run
from tests.support.desk import Desk
from tests.support.pages import Visit

Questions = Counter[tuple[str, str]]  # SQL and its parameters
PAGES = sorted(file.stem for file in (ROOT / "pages").glob("*.py"))
TABS = ("Rows", "What changed", "Needs attention", "Skipped", "History")


@contextmanager
def questions() -> Iterator[Questions]:
    """Count what is asked of the database."""
    asked: Questions = Counter()

    def note(_c: object, _x: object, statement: str, values: object, *_more: object) -> None:
        if statement.startswith("SELECT"):
            asked[statement, repr(values)] += 1

    sa.event.listen(db.engine(), "before_cursor_execute", note)
    yield asked
    sa.event.remove(db.engine(), "before_cursor_execute", note)


def repeated(asked: Questions) -> list[str]:
    """Name what was asked more than once.

    Only a question of the analytics may look up the ends of its period for itself: it is
    answered on a connection of its own, beside the others. And who somebody is, is believed for
    2 s, which a draw on a busy machine outlasts.
    """
    assert asked
    own = re.compile(r"SELECT min\(runs\.id|.*\bsign_ins\.mark = ", re.DOTALL)
    several = {sql: n for (sql, _), n in asked.items() if n > 1 and not own.match(sql)}
    return [f"{n} times: {sql}" for sql, n in several.items()]


@pytest.fixture
def run(desk: Desk) -> Run:
    labels = [field.label for field in ENTITIES["locations"].fields]
    rows = [["L1", "Clinic"], ["L2", "Clinic", *["x"] * (len(labels) - 2)]]
    padded = [[*row, *[""] * (len(labels) - len(row))] for row in rows]
    desk.sync("locations", locations=[labels, *padded])
    return desk.sync("locations", locations=[labels, *padded])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_nothing_twice(visit: Visit, run: Run, name: str) -> None:
    assert run.status == "partial"
    page = visit()
    st.cache_resource.clear()
    with questions() as asked:
        page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
    assert repeated(asked) == []


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_of_a_resource_asks_nothing_twice(visit: Visit, run: Run, tab: str) -> None:
    assert run.status == "partial"
    page = visit("locations")
    page.session_state["tab"] = tab
    st.cache_resource.clear()
    with questions() as asked:
        page.run()
    assert repeated(asked) == []


def test_a_run_in_full_asks_nothing_twice(visit: Visit, run: Run) -> None:
    page = visit("runs", id=run.id)
    with questions() as asked:
        page.run()
    assert {"Log", "Attempts"} == {tab.label for tab in page.tabs}
    assert repeated(asked) == []
