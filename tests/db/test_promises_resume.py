"""What is promised of a run that is resumed: what was read is not read again where that can be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
import pytest

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.engine import importer
from sync_core.engine.read_ahead import Reading
from sync_core.engine.work import Work
from sync_core.execution.heartbeat import StoppedError
from sync_core.foundation import db, redis_clients
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization
from sync_core.runs import lease, recovery
from sync_core.runs.lease import Claim, RunResult
from sync_core.runs.progress import Reporter
from tests.support.desk import ANA

LOCATIONS = resources.CATALOGUE["locations"]
SIZE = 10  # rows of a page


@dataclass
class KeyPaging:
    """A source that hands out its rows by key, and can go on after any of them."""

    keys: Sequence[str]
    lasting: bool = True  # it can go on in the middle
    version: int = 1
    opened: Mapping[str, str] = field(default_factory=dict)  # dates, by key
    asked: list[str] = field(default_factory=list)  # the key after which each page begins

    name: str = "The made-up source"
    title: str = "Locations"
    header_row: int = 1
    notes: tuple[str, ...] = ()
    locale: str | None = None
    unit: Literal["rows", "bytes"] = "rows"

    @property
    def headers(self) -> Sequence[str]:
        return [field.label for field in LOCATIONS.entities[0].fields]

    @property
    def total(self) -> int:
        return len(self.keys)

    def open(self, _entity: Entity) -> "KeyPaging":
        return self

    def link(self, _row: int, _column: int) -> str | None:
        return None

    def pages(
        self,
        _numbers: frozenset[int],
        cursor: Any = None,  # noqa: ANN401 - JSON
    ) -> Iterator[Page]:
        if cursor and cursor["version"] != self.version:
            raise SyncError("source_changed_while_reading", name=self.name)
        after = cursor["after"] if cursor else ""
        while keys := [key for key in self.keys if key > after][:SIZE]:
            self.asked.append(after)
            first, after = 2 + self.keys.index(keys[0]), keys[-1]
            blank: list[str | None] = [None] * len(keys)
            texts = [keys, keys, *[blank] * (len(self.headers) - 2)]
            texts[self.headers.index("Opened on")] = [self.opened.get(key) for key in keys]
            further = {"after": after, "version": self.version} if self.lasting else None
            yield Page(range(first, first + len(keys)), texts, cursor=further)


@dataclass
class Stop:
    """Asks an attempt to stop when it has been asked so many times whether to."""

    checks: float

    def __call__(self) -> None:
        self.checks -= 1
        if self.checks < 0:
            raise StoppedError


@pytest.fixture
def source() -> KeyPaging:
    return KeyPaging([f"L{n:03}" for n in range(50)])


@pytest.fixture
def attempt(organization: Organization) -> Callable[..., RunResult | None]:
    """Work on the organization's run once more, with so many checks until it is to stop."""
    with db.everywhere() as connection:
        run = runs.start(connection, organization.id, "locations", ANA, trigger="test")

    def work(source: KeyPaging, checks: float = float("inf")) -> RunResult | None:
        with db.everywhere() as connection:
            claim = lease.claim(connection, run.id, "a worker")
        assert claim
        try:
            return _sync(claim, source, Stop(checks))
        except (StoppedError, SyncError):
            with db.everywhere() as connection:
                lease.interrupt(connection, claim, "it was asked to stop", crashed=False)
                recovery.resume(connection)
            return None

    return work


def _sync(claim: Claim, source: KeyPaging, stop: Stop) -> RunResult:
    reporter = Reporter(redis_clients.client(), claim.run_id, claim.attempt)
    with Reading(lambda: None, 30) as reading:
        work = Work(claim, LOCATIONS, resources.ENTITIES, "AU", reporter, reading, stop)
        return importer.sync(work, {"locations": source})


Attempt = Callable[..., RunResult | None]
ALL_CREATED = "Processed 50 locations: 50 created, 0 updated."


def test_reading_goes_on_after_the_last_page_that_was_staged(
    attempt: Attempt, source: KeyPaging, database: psycopg.Connection, organization: Organization
) -> None:
    assert attempt(source, checks=4) is None  # opening, three pages
    source.asked.clear()
    ending = attempt(source)
    assert ending
    assert ending.message == ALL_CREATED
    assert source.asked[0] == "L029"
    rows = database.execute(
        "select location_code from locations where organization_id = %s order by 1",
        [organization.id],
    )
    assert [code for (code,) in rows] == source.keys


def test_a_source_that_cannot_go_on_is_read_from_its_start(
    attempt: Attempt, source: KeyPaging
) -> None:
    source.lasting = False
    attempt(source, checks=4)
    source.asked.clear()
    ending = attempt(source)
    assert ending
    assert ending.message == ALL_CREATED
    assert source.asked[0] == ""


def test_what_was_read_to_its_end_is_not_read_again(attempt: Attempt, source: KeyPaging) -> None:
    source.lasting = False
    attempt(source, checks=6)  # opening, five pages: it stops before the comparison
    source.asked.clear()
    ending = attempt(source)
    assert ending
    assert ending.message == ALL_CREATED
    assert source.asked == []


def test_a_source_that_was_changed_since_is_read_from_its_start(
    attempt: Attempt, source: KeyPaging
) -> None:
    attempt(source, checks=4)
    source.version, source.keys = 2, source.keys[:30]
    source.asked.clear()
    ending = attempt(source)
    assert ending
    assert ending.message == "Processed 30 locations: 30 created, 0 updated."
    assert source.asked[0] == ""


def test_what_another_sheet_has_left_is_not_used(attempt: Attempt, source: KeyPaging) -> None:
    attempt(source, checks=6)
    other = KeyPaging(source.keys, name="Another source")
    ending = attempt(other)
    assert ending
    assert ending.message == ALL_CREATED
    assert other.asked[0] == ""


@pytest.mark.parametrize(
    ("early", "late"), [("31/12/2024", "03/04/2024"), ("3/4/2024", "31/1/2024")]
)
def test_what_one_cell_shows_counts_for_the_rows_of_every_attempt(
    attempt: Attempt, source: KeyPaging, early: str, late: str
) -> None:
    source.locale, source.opened = "en_US", {"L001": early, "L045": late, "L046": "2024-04-03"}
    assert attempt(source, checks=4) is None
    source.asked.clear()
    ending = attempt(source)
    assert ending
    assert ending.message == "Processed 50 locations: 48 created, 0 updated, 2 failed."
    assert source.asked[0] == "L029"
