"""What one person asks for holds up nobody else: it is small, or it is ended."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db, searching, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import ROOT
from sync_core.organizations import Organization
from sync_core.records import lookup, outcomes, rows
from sync_core.records.rows import View
from sync_core.runs import Run
from sync_core.runs.filters import Filter, from_address
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

LOCATIONS = ENTITIES["locations"]
TOO_MUCH = ("word " * 4000, "w" * 5000, "a b c d e f g h i j k l m", "nul\x00")


@pytest.fixture
def brief(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be a process of the pages, in which a statement may take a moment only."""
    assert servers
    monkeypatch.setenv("SYNCDESK_STATEMENT_TIMEOUT", "0.2")
    settings.current.cache_clear()
    monkeypatch.setattr(db, "_brief", False)
    db.be_brief()
    yield
    monkeypatch.undo()
    settings.current.cache_clear()
    db.engine().dispose()
    db.engine.cache_clear()


def test_a_statement_that_takes_long_is_ended_in_a_sentence(brief: None) -> None:
    assert brief is None
    with pytest.raises(sa.exc.DBAPIError) as caught, db.everywhere() as connection:
        connection.execute(sa.text("select pg_sleep(60)"))
    told = db.as_sync_error(caught.value)
    assert told
    assert told.code == "took_too_long"


def test_a_file_may_take_longer_than_a_page(brief: None) -> None:
    assert brief is None
    with db.apart() as connection:
        connection.execute(sa.text("select pg_sleep(0.4)"))


@pytest.mark.parametrize("launcher", ["Home.py", "sync_core/api/app.py"])
def test_pages_and_api_are_such_processes(launcher: str) -> None:
    assert "db.be_brief()" in (ROOT / launcher).read_text()


@pytest.fixture
def run(desk: Desk) -> Run:
    return desk.sync("locations", locations=[HEADER, row("L1")])


@pytest.mark.parametrize("search", TOO_MUCH)
def test_a_search_has_an_end_wherever_somebody_searches(
    search: str, run: Run, organization: Organization
) -> None:
    asked: list[Callable[[db.Connection], object]] = [
        lambda c: rows.count(c, organization.id, LOCATIONS, View(search=search)),
        lambda c: lookup.find(c, organization.id, ANA, search, 5),
        lambda c: outcomes.count(c, run, outcomes.Wanted(("created",), search)),
        lambda _: Filter(organizations=(organization.id,), search=search),
        lambda _: from_address({"search": search}, (organization.id,)),
    ]
    for ask in asked:
        with db.everywhere() as connection, pytest.raises(SyncError) as refused:
            ask(connection)
        assert refused.value.code == "search_refused"


def test_a_filter_has_an_end(organization: Organization) -> None:
    many = tuple(f"v{n}" for n in range(searching.MOST_VALUES + 1))
    for chosen in (many, ("v" * 500,), ("nul\x00",)):
        with pytest.raises(SyncError) as refused:
            Filter(organizations=(organization.id,), person=chosen)
        assert refused.value.code == "search_refused"
    with db.everywhere() as connection, pytest.raises(SyncError):
        rows.count(connection, organization.id, LOCATIONS, View(only={"city": many}))


def test_what_people_look_for_is_found(organization: Organization, run: Run) -> None:
    assert run
    with db.everywhere() as connection:
        assert rows.count(connection, organization.id, LOCATIONS, View(search="L1 clinic")) <= 1
        assert lookup.find(connection, organization.id, ANA, "L1", 5)
