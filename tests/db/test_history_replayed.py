"""Random syncs and random edits past the program: a history never claims what was not so."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_core import organizations, runs
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db
from sync_core.foundation.embedded import Urls
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal, RunStatus
from sync_core.operations import syncs
from sync_core.organizations import policies
from sync_core.organizations.policies import Policy
from sync_core.records import history
from sync_core.records.history import NOT_KNOWN, Happening, Record
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

LOCATIONS = ENTITIES["locations"]
CODES = ("L1", "L2")
CELLS: Mapping[str, Mapping[str, Any]] = {  # of a sheet, and of a table
    "City": {"": None, "Perth": "Perth", "Hobart": "Hobart"},
    "Latitude": {"": None, "-31.95": "-31.95", "-42.5": "-42.5"},
    "Opened on": {"": None, "2024-02-29": "2024-02-29"},
    "Active": {"yes": True, "no": False},
}
COLUMNS = {"City": "city", "Latitude": "latitude", "Opened on": "opened_on", "Active": "active"}
ANY_CELL = st.sampled_from([(label, text) for label, texts in CELLS.items() for text in texts])

Table = Mapping[str, tuple[bool, Mapping[str, Any]]]  # by code: whether it is there, its values


@dataclass(frozen=True)
class Sheet:
    """Somebody syncs a sheet of these rows, by code."""

    rows: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Edit:
    """Somebody changes a cell of the table past the program."""

    code: str
    label: str
    text: str


@dataclass(frozen=True)
class Move:
    """Somebody deletes, inserts, marks or unmarks a record past the program."""

    code: str
    what: str


@dataclass(frozen=True)
class Undo:
    """Somebody takes one of the latest runs back."""

    ago: int


ROW = st.fixed_dictionaries({label: st.sampled_from(list(texts)) for label, texts in CELLS.items()})
SHEET = st.builds(Sheet, st.dictionaries(st.sampled_from(CODES), ROW, max_size=2))
EDIT = st.builds(lambda code, cell: Edit(code, *cell), st.sampled_from(CODES), ANY_CELL)
MOVE = st.builds(
    Move, st.sampled_from(CODES), st.sampled_from(["delete", "insert", "mark", "unmark"])
)
UNDO = st.builds(Undo, st.integers(1, 3))
STEPS = st.lists(st.one_of(SHEET, SHEET, EDIT, MOVE, UNDO), min_size=2, max_size=9)


Step = Sheet | Edit | Move | Undo


@dataclass(frozen=True)
class Moment:
    """What the table held at a moment, and what was done just before it."""

    at: datetime
    table: Table
    done: Step


@settings(
    max_examples=40,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, removal=st.sampled_from(list(Removal)))
def test_what_a_history_says_of_any_day_was_so(
    servers: Urls,
    database: psycopg.Connection,
    steps: Sequence[Step],
    removal: Removal,
) -> None:
    assert servers
    desk = make_desk(removal)
    moments = [do(database, desk, step) for step in steps]
    for code in CODES:
        if record := read(desk, code):
            for moment in moments:
                check(record, code, moment, moments)
            if not edits(code, moments):
                replays(record, moments[-1].table.get(code))


def make_desk(removal: Removal) -> Desk:
    with db.everywhere() as connection:
        organization = organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", "Northwind")
        policies.put(connection, organization, "locations", Policy(removal=removal))
    return Desk(organization)


def do(database: psycopg.Connection, desk: Desk, step: Step) -> Moment:
    match step:
        case Sheet(rows):
            written = [
                row(code, **{k.replace(" ", "_"): v for k, v in cells.items()})
                for code, cells in rows.items()
            ]
            run = desk.sync("locations", locations=[HEADER, row("L0"), *written])
            assert run.status == "completed", run.message
        case Edit(code, label, text):
            sets = f"update locations set {COLUMNS[label]} = %s"
            where = " where organization_id = %s and location_code = %s"
            database.execute(sets + where, [CELLS[label][text], desk.organization.id, code])
        case Undo(ago):
            undo(desk, ago)
        case Move(code, what):
            database.execute(MOVES[what], {"org": desk.organization.id, "code": code})
    at = database.execute("select clock_timestamp()").fetchone()
    assert at
    return Moment(at[0], table(database, desk), step)


def undo(desk: Desk, ago: int) -> None:
    with db.everywhere() as connection:
        applied = [
            run
            for run in runs.history(connection, desk.organization.id)
            if run.status == RunStatus.COMPLETED
        ]
    if len(applied) >= ago:
        plan = desk.work(syncs.undo(desk.organization, applied[ago - 1].id, ANA, "test"))
        run = desk.work(syncs.confirm(desk.organization, plan.id, ANA, "test"))
        assert run.status == "completed", run.message


WHERE = "where organization_id = %(org)s and location_code = %(code)s"
MOVES = {
    "delete": f"delete from locations {WHERE}",
    "insert": "insert into locations (organization_id, location_code, name)"
    " values (%(org)s, %(code)s, 'Inserted') on conflict do nothing",
    "mark": f"update locations set _removed_at = now() {WHERE} and _removed_at is null",
    "unmark": f"update locations set _removed_at = null {WHERE}",
}


def table(database: psycopg.Connection, desk: Desk) -> Table:
    columns = ", ".join(f"{column}::text" for column in COLUMNS.values())
    query = f"select location_code, _removed_at is null, name, {columns} from locations"
    rows = database.execute(f"{query} where organization_id = %s", [desk.organization.id])
    labels = ["Name", *COLUMNS]
    return {code: (there, dict(zip(labels, cells, strict=True))) for code, there, *cells in rows}


def read(desk: Desk, code: str) -> Record | None:
    with db.everywhere() as connection:
        try:
            return history.read(connection, desk.organization.id, LOCATIONS, [code], ANA)
        except SyncError:
            return None


def check(record: Record, code: str, moment: Moment, moments: Sequence[Moment]) -> None:
    """Compare what the history says of a moment with what was there."""
    snapshot = record.as_of(moment.at)
    is_there, values = moment.table.get(code, (False, {}))
    unknowable = edited_to_and_fro(record, code, moment.at, moments)
    if snapshot.is_there is not None and not unknowable:
        assert snapshot.is_there == is_there
    for cell in snapshot.cells:
        label = cell.field.label
        if label in values and cell.after is not NOT_KNOWN and is_there and not unknowable:
            assert as_text(cell.after) == values[label], label
    if not edits(code, moments):
        assert snapshot.is_there is not None
        assert all(cell.after is not NOT_KNOWN for cell in snapshot.cells)


def edited_to_and_fro(record: Record, code: str, at: datetime, moments: Sequence[Moment]) -> bool:
    """Return whether somebody edited the record both before and after, between two of its steps.

    Then it may have been something else for a while, which leaves no trace.
    """
    steps = [one.at for one in record.happened]
    since = max((step for step in steps if step <= at), default=None)
    until = min((step for step in steps if step > at), default=None)
    near = [
        other
        for other in edits(code, moments)
        if (since is None or other > since) and (until is None or other <= until)
    ]
    return any(other <= at for other in near) and any(other > at for other in near)


def edits(code: str, moments: Sequence[Moment]) -> list[datetime]:
    return [m.at for m in moments if isinstance(m.done, Edit | Move) and m.done.code == code]


def replays(record: Record, present: tuple[bool, Mapping[str, Any]] | None) -> None:
    """See that what happened, one after the other, makes the record what it is."""
    values: dict[str, Any] = {}
    for entry in reversed(record.entries):
        assert "outside" not in entry.what
        if entry.what != Happening.REMOVED:  # of a row that stays, and may come back
            values |= {cell.field.label: as_text(cell.after) for cell in entry.cells}
    is_there = record.entries[0].what != Happening.REMOVED
    assert is_there == bool(present and present[0])
    if present and is_there:
        assert {label: values[label] for label in present[1]} == present[1]


def as_text(value: object) -> str | None:
    return value if value is None else str(value).lower() if isinstance(value, bool) else str(value)
