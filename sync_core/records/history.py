"""Everything that ever happened to one record, and what it was on a day.

An outcome keeps what changed, so what a record was follows from what it is and all later outcomes
(`replay`); what somebody changed past the program is told as such.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from sync_core import runs
from sync_core.catalogue.fields import Email, Field
from sync_core.catalogue.fields.cells import plain
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.target import target
from sync_core.foundation import db, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.organizations import actions
from sync_core.organizations.people import Person
from sync_core.records import exact_json, privacy
from sync_core.records.outcome_format import KEY_SEPARATOR, SHOWN_SEPARATOR, row_hash
from sync_core.records.privacy import MASK, Place
from sync_core.records.replay import NOW, NOWHERE, Outside, Replay, State, Step, Values, replay
from sync_core.runs import MADE_UP, Run

# Postgres overrates what its filters of pages (BRIN) cost, and would look through whole months.
SETTINGS = (
    ("enable_seqscan", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("plan_cache_mode", "force_custom_plan"),
)
BY_INDEX = "; ".join(f"set local {name} = {value}" for name, value in SETTINGS)
AS_USUAL = "; ".join(f"set local {name} to default" for name, _ in SETTINGS)

_KEPT, _RUNS = tables.outcomes.c, tables.runs.c


class Unknown(Enum):
    """Stands for a value that nobody knows."""

    NOT_KNOWN = "not known"


NOT_KNOWN: Final = Unknown.NOT_KNOWN
Value = Any  # of a cell as JSON has it, numbers exact; MASK where hidden, or NOT_KNOWN


class Happening(StrEnum):
    """What happened to a record."""

    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"
    CAME_BACK = "came back"
    CHANGED_OUTSIDE = "changed outside of Sync Desk"
    ADDED_OUTSIDE = "added outside of Sync Desk"
    REMOVED_OUTSIDE = "removed outside of Sync Desk"


@dataclass(frozen=True)
class Cell:
    """A field of a record, before and after something happened."""

    field: Field
    before: Value = None
    after: Value = None


@dataclass(frozen=True)
class Entry:
    """Something that happened to a record: by a run, or outside of the program between two runs."""

    what: Happening
    cells: Sequence[Cell]  # created: all of them; removed: all that it held; else what changed
    run: Run | None = None  # that did it
    at: datetime | None = None
    row_number: int | None = None  # of the sheet
    since: Run | None = None  # outside: the last one before it; None: it came before all of them
    until: Run | None = None  # outside: the first one that shows it; None: the present does
    is_dropped: bool = False  # whether the values were

    @property
    def sentence(self) -> str:
        """What happened, and, where no run did it, between which two."""
        what = self.what[0].upper() + self.what[1:]
        if self.run and self.run.undoes:
            what = "Put back" if self.what == Happening.UPDATED else what
            what += f" by the undo of run {self.run.undoes}"
        if self.since and self.until:
            return f"{what} between run {self.since.id} and run {self.until.id}"
        if self.since:
            return f"{what} after run {self.since.id}"
        if self.until:
            return f"{what} before run {self.until.id}"
        return f"{what}; its values were deleted" if self.is_dropped else what


@dataclass(frozen=True)
class Snapshot:
    """What a record was at a moment: a cell for each field, in `after`."""

    at: datetime
    is_there: bool | None  # None: not known
    cells: Sequence[Cell]
    is_dropped: bool  # whether what would tell was dropped


@dataclass(frozen=True)
class Happened:
    """What a run did to a record, as it is stored."""

    step: Step
    run: Run
    at: datetime
    row_number: int | None


@dataclass(frozen=True)
class Record:
    """A record, also one that is gone, and all that happened to it, as somebody may see it."""

    entity: Entity
    key: tuple[str, ...]
    read_at: datetime
    happened: Sequence[Happened]  # the newest first
    known: Replay
    hidden: frozenset[str]  # columns
    whole_since: datetime  # before, values were dropped

    @property
    def title(self) -> str:
        """The key as people read it."""
        return SHOWN_SEPARATOR.join(self.key)

    @property
    def name(self) -> str:
        """What people called it last, else its key."""
        column = next((f.column for f in self.entity.fields if f.label == self.entity.named_by), "")
        states = [self.known.present.values, *(one.step.left for one in self.happened)]
        names = [values[column] for values in states if values.get(column) is not None]
        return str(names[0]) if names and column not in self.hidden else self.title

    @property
    def is_there(self) -> bool:
        """Whether its table shows it."""
        return self.known.present.is_there is True

    @property
    def dropped_before(self) -> datetime | None:
        """Before when values were dropped; None where none of this record's were."""
        dropped = any(one.step.is_dropped for one in self.happened)
        return self.whole_since if dropped else None

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """What happened to it, the newest first."""
        outside, told = list(self.known.outside), list[Entry]()
        for place, one in enumerate(self.happened):
            while outside and outside[0].until < place:
                told.append(self._outside(outside.pop(0)))
            told.append(self._done(place, one))
        return [*told, *map(self._outside, outside)]

    def as_of(self, at: datetime) -> Snapshot:
        """Return what it was at a moment; of the future, what it is."""
        place = next((n for n, one in enumerate(self.happened) if one.at <= at), len(self.happened))
        state = self.known.present if at >= self.read_at else self.known.during(place)
        fields = [] if state.is_there is False else self.entity.fields
        return Snapshot(
            at=at,
            is_there=state.is_there,
            cells=[self._cell(f, after=self._known(f, state.values)) for f in fields],
            is_dropped=any(one.step.is_dropped for one in self.happened[:place]),
        )

    def _done(self, place: int, one: Happened) -> Entry:
        step = one.step
        return Entry(
            what=_what(step),
            cells=self._cells(step, self.known.left[place].values),
            run=one.run,
            at=one.at,
            row_number=one.row_number,
            is_dropped=step.is_dropped,
        )

    def _cells(self, step: Step, left: Values) -> list[Cell]:
        match step.kind:
            case OutcomeKind.CREATED:
                return [self._cell(f, after=self._known(f, left)) for f in self.entity.fields]
            case OutcomeKind.REMOVED:
                return [self._cell(f, before=step.found[f.column]) for f in self._in(step.found)]
            case _:
                return [
                    self._cell(f, step.found[f.column], step.left[f.column])
                    for f in self._in(step.left)
                ]

    def _outside(self, one: Outside) -> Entry:
        what = Happening.CHANGED_OUTSIDE
        if one.came is not None:
            what = Happening.ADDED_OUTSIDE if one.came else Happening.REMOVED_OUTSIDE
        came_first = one.since == len(self.happened)
        return Entry(
            what=what,
            cells=[self._cell(f, *one.values[f.column]) for f in self._in(one.values)],
            since=None if came_first else self.happened[one.since].run,
            until=None if one.until == NOW else self.happened[one.until].run,
        )

    def _known(self, field: Field, values: Values) -> Value:
        """Return what is known of a field; its key is what every record always had."""
        if not field.key or field.column in values:
            return values.get(field.column, NOT_KNOWN)
        ever = [self.known.present.values, *(one.values for one in self.known.left)]
        part = self.key[self.entity.keys.index(field)]
        return next((one[field.column] for one in ever if field.column in one), part)

    def _in(self, values: Values) -> list[Field]:
        return [field for field in self.entity.fields if field.column in values]

    def _cell(self, field: Field, before: Value = None, after: Value = None) -> Cell:
        if field.column in self.hidden:
            before, after = _masked(before), _masked(after)
        return Cell(field, before, after)


def _masked(value: Value) -> Value:
    return value if value is None or value is NOT_KNOWN else MASK


def read(
    connection: Connection,
    organization_id: int,
    entity: Entity,
    key: Sequence[str],
    *readers: Person | None,
    place: Place = Place.HISTORY,
) -> Record:
    """Read the history of a record, given by the parts of its key, as the readers may see it.

    Raises SyncError("unknown_record") where the organization never had it.
    """
    hidden = privacy.hidden(entity, place, *readers)
    parts = _normal(connection, entity, key)
    if not parts or not privacy.may_be_keyed(entity, hidden):
        raise _unknown(entity, key)
    present = _present(connection, organization_id, entity, parts)
    happened = _happened(connection, organization_id, entity, parts)
    if not present and not happened:
        raise _unknown(entity, key)
    steps = [one.step for one in happened]
    return Record(
        entity=entity,
        key=parts,
        read_at=datetime.now(UTC),
        happened=happened,
        known=replay(present or NOWHERE, steps, _hash(connection, entity)),
        hidden=frozenset(field.column for field in hidden),
        whole_since=actions.whole_since(connection, organization_id),
    )


def _unknown(entity: Entity, key: Sequence[str]) -> SyncError:
    return SyncError("unknown_record", key=SHOWN_SEPARATOR.join(key), table=entity.title.lower())


# What is stored


def _normal(connection: Connection, entity: Entity, key: Sequence[str]) -> tuple[str, ...] | None:
    """Return the parts of a key as outcomes have them; None where they are none of this entity."""
    if len(key) != len(entity.keys):
        return None
    tidied = [plain(part).strip() for part in key]
    texts = [
        sa.cast(
            sa.cast(sa.literal(part.lower() if isinstance(f, Email) else part), f.sql_type), sa.Text
        )
        for part, f in zip(tidied, entity.keys, strict=True)
    ]
    try:
        with connection.begin_nested():
            return tuple(connection.execute(sa.select(*texts)).one())
    except sa.exc.DataError:
        return None


def _present(
    connection: Connection, organization_id: int, entity: Entity, key: Sequence[str]
) -> State | None:
    """Return what the record is; None where it has no row."""
    table = target(entity)
    pairs = (part for f in entity.fields for part in (sa.literal(f.column), table.c[f.column]))
    values = sa.cast(sa.func.jsonb_build_object(*pairs), sa.Text)
    found = connection.execute(
        sa.select(values, table.c._removed_at.is_(None)).where(  # noqa: SLF001 - a column of ours
            table.c.organization_id == organization_id,
            *(
                table.c[f.column] == sa.cast(sa.literal(part), f.sql_type)
                for f, part in zip(entity.keys, key, strict=True)
            ),
        )
    ).one_or_none()
    return State(found[1], exact_json.read(found[0]) or {}) if found else None


def _happened(
    connection: Connection, organization_id: int, entity: Entity, key: Sequence[str]
) -> list[Happened]:
    """Return what the organization's runs did to the record, the newest first."""
    asked = (connection, organization_id, entity, key)
    connection.exec_driver_sql(BY_INDEX)
    rows = [row for which in (tables.IS_CHANGE, tables.IS_CREATION) for row in _rows(*asked, which)]
    connection.exec_driver_sql(AS_USUAL)
    by_id = {run.id: run for run in runs.some(connection, [row.run_id for row in rows])}
    found = [
        Happened(
            step=Step(
                kind=OutcomeKind(row.kind),
                changes=exact_json.read(row.changes),
                row_hash=row.row_hash,
            ),
            run=by_id[row.run_id],
            at=row.at,
            row_number=row.row_number,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.at, one.run.id), reverse=True)


def _rows(
    connection: Connection,
    organization_id: int,
    entity: Entity,
    key: Sequence[str],
    which: sa.TextClause,
) -> Sequence[sa.Row[Any]]:
    """Return outcomes of the record: its key finds those of all organizations, its run its own."""
    named = (_KEPT.run_id, _KEPT.kind, _KEPT.row_number, _KEPT.row_hash, _KEPT.at)
    query = (
        sa.select(*named, sa.cast(_KEPT.changes, sa.Text).label("changes"))
        .join_from(tables.outcomes, tables.runs, _RUNS.id == _KEPT.run_id)
        .where(_RUNS.organization_id == organization_id, _RUNS.trigger != MADE_UP)
        .where(which, _KEPT.entity == entity.name, _KEPT.key == KEY_SEPARATOR.join(key))
    )
    return connection.execute(query).all()


def _hash(
    connection: Connection, entity: Entity
) -> Callable[[Sequence[Values]], Sequence[int | None]]:
    """Return a function that hashes rows as the engine does."""
    columns = {field.column for field in entity.fields}
    query = sql.SQL(
        "select r.place, {hash} from (select place, (jsonb_populate_record(null::{table}, value)).*"
        " from jsonb_array_elements(%s::jsonb) with ordinality given(value, place)) r"
    ).format(hash=row_hash("r", entity), table=sql.Identifier(entity.name))

    def hash_of(states: Sequence[Values]) -> list[int | None]:
        whole = [place for place, values in enumerate(states) if columns <= values.keys()]
        given = json.dumps([states[place] for place in whole], default=str)
        rows = db.cursor(connection).execute(query, [given]).fetchall() if whole else []
        hashes = {whole[place - 1]: number for place, number in rows}
        return [hashes.get(place) for place in range(len(states))]

    return hash_of


def _what(step: Step) -> Happening:
    if step.brings_back:
        return Happening.CAME_BACK
    return Happening.REMOVED if step.takes_away else Happening(step.kind)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the last moment of a day in a time zone."""
    return datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(microseconds=1)


def in_words(value: Value) -> str:
    """Return a value as a text; "" where it is blank."""
    if isinstance(value, Unknown):
        return value.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else str(value)
