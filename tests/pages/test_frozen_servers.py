"""Pages while Postgres or Redis are frozen: a sentence within 5 s, and back by themselves."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core.foundation import db, settings
from tests.support import processes
from tests.support.pages import Visit, healthy
from tests.support.waiting import eventually

pytestmark = pytest.mark.alone

SECONDS = 5
PAGES = ["overview", "locations", "sources", "analytics", "audit", "settings"]


def in_time(page: AppTest) -> AppTest:
    """Draw a page anew from nothing that was kept, as fast as was promised."""
    st.cache_resource.clear()
    st.cache_data.clear()
    start = time.monotonic()
    page.run(timeout=30)
    assert time.monotonic() - start < SECONDS
    return page


def titles(page: AppTest) -> str:
    return "\n".join(str(alert.proto.title) for alert in page.error)


@pytest.mark.parametrize("name", PAGES[:3])
def test_a_page_says_within_5_s_that_postgres_does_not_answer_and_comes_back(
    visit: Visit, name: str
) -> None:
    page = visit(name)
    with processes.frozen(*processes.postgres()):
        assert "database does not answer" in titles(in_time(page))
        assert "database does not answer" in titles(in_time(page))
    eventually(db.answers)
    assert titles(healthy(page.run(timeout=30))) == ""


def test_a_page_is_drawn_within_5_s_though_a_backend_that_served_it_is_frozen(
    visit: Visit,
) -> None:
    page = visit("locations")
    with processes.frozen(*processes.backends(db.name())):
        healthy(in_time(page))
    healthy(in_time(page))


@pytest.fixture
def brief(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be a process of the pages, in which Postgres may work on a statement for a second."""
    assert servers
    with monkeypatch.context() as environment:
        environment.setenv("SYNCDESK_STATEMENT_TIMEOUT", "1")
        environment.setattr(db, "_brief", False)
        settings.current.cache_clear()
        db.be_brief()
        yield
    settings.current.cache_clear()
    db.engine().dispose()
    db.engine.cache_clear()


def test_a_page_is_drawn_within_5_s_though_a_backend_is_frozen_in_mid_statement(
    visit: Visit, brief: None
) -> None:
    assert brief is None
    page = visit("locations")
    with ThreadPoolExecutor() as beside:
        drawing: list[Future[AppTest]] = []
        with processes.frozen_at_work(lambda: drawing.append(beside.submit(in_time, page))):
            healthy(drawing[0].result())
    healthy(in_time(page))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_within_5_s_though_redis_is_frozen(visit: Visit, name: str) -> None:
    page = visit(name)
    with processes.frozen(processes.valkey()):
        healthy(in_time(page))
