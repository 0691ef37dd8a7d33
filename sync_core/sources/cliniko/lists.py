"""Cliniko: the lists of an account as sheets, in the order of ids: all records, or the changed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, Literal

from sync_core.catalogue.fields import CellError, Convention, Date, Field
from sync_core.catalogue.fields.cells import protected
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page, RowFault
from sync_core.foundation.settings import Settings
from sync_core.sources.cliniko.answers import Record
from sync_core.sources.cliniko.client import (
    EVERYTHING,
    RETRY_POLICY,
    Client,
    Survey,
    changed_since,
    open_client,
)
from sync_core.sources.cliniko.gone import Apart, Found
from sync_core.sources.kind import OnStep, OnTraffic, SourceSetting
from sync_core.sources.retry import OnWait, RetryPolicy
from sync_core.sources.some import Some

STEP = 50  # rows of a page of ours: people see the counts rise
ISO = Convention()

Cell = Callable[[Record], object]  # raises OddValueError for a value of another form


class OddValueError(Exception):
    """A value of a record has another form than Cliniko documents."""


def _ignore(_sentence: str) -> None:
    pass


def _at(name: str) -> Cell:
    return lambda record: _plain(record.get(name))


def _linked(name: str) -> Cell:
    """Return the id at the end of a link: the only place where Cliniko writes it."""

    def cell(record: Record) -> object:
        address = _plain(_inside(_inside(record, name), "links").get("self"))
        last = str(address or "").rstrip("/").rpartition("/")[2]
        return last if last.isdecimal() else None

    return cell


def _inside(record: Record, name: str) -> Record:
    """Return the object of a name; an empty one where there is none. Raises OddValueError."""
    found = record.get(name)
    if found is not None and not isinstance(found, dict):
        raise OddValueError
    return found or {}


def _plain(value: object) -> object:
    """Return a value that is a single one. Raises OddValueError."""
    if isinstance(value, dict | list):
        raise OddValueError
    return value


def _joined(*names: str, by: str) -> Cell:
    return lambda record: by.join(
        text for name in names if (text := str(_plain(record.get(name)) or "").strip())
    )


def _phones(record: Record) -> object:
    numbers = record.get("patient_phone_numbers") or []
    if not isinstance(numbers, list) or not all(isinstance(one, dict) for one in numbers):
        raise OddValueError
    texts = (_joined("phone_type", "number", by=": ")(number) for number in numbers)
    return ", ".join(text for text in map(str, texts) if text)


def _moments(*names: str) -> dict[str, Cell]:
    """Return the columns whose name is the same in both: "Archived at", `archived_at`."""
    return {f"{name.capitalize()} at": _at(f"{name}_at") for name in names}


@dataclass(frozen=True)
class Listed:
    """Where Cliniko lists the records of an entity, and what stands in each column.

    `whole` tells whether each of them is kept, so that their number can be compared, and a record
    loses a field that cannot be read; else the record fails. Of some, Cliniko lists apart who was
    deleted, or does not always note in them that they were archived.
    """

    path: str
    cells: Mapping[str, Cell]
    whole: bool = False
    deleted: bool = False
    archived: bool = False


LISTS = {
    "patients": Listed(
        "patients",
        {
            "Cliniko patient ID": _at("id"),
            "Name": _joined("first_name", "last_name", by=" "),
            "First name": _at("first_name"),
            "Preferred name": _at("preferred_first_name"),
            "Last name": _at("last_name"),
            "Date of birth": _at("date_of_birth"),
            "Email": _at("email"),
            "Phones": _phones,
            "Address": _joined("address_1", "address_2", "address_3", by=", "),
            "City": _at("city"),
            "Postcode": _at("post_code"),
            "State": _at("state"),
            "Country": _at("country"),
            **_moments("archived", "deleted", "merged", "created", "updated"),
        },
        whole=True,
        deleted=True,
        archived=True,
    ),
    "appointments": Listed(
        "individual_appointments",
        {
            "Cliniko appointment ID": _at("id"),
            "Cliniko patient ID": _linked("patient"),
            "Cliniko practitioner ID": _linked("practitioner"),
            "Cliniko business ID": _linked("business"),
            "Cliniko appointment type ID": _linked("appointment_type"),
            "Arrived": _at("patient_arrived"),
            "Did not arrive": _at("did_not_arrive"),
            **_moments("starts", "ends", "cancelled", "archived", "deleted", "created", "updated"),
        },
        deleted=True,
    ),
    "appointment_types": Listed(
        "appointment_types",
        {
            "Cliniko appointment type ID": _at("id"),
            "Name": _at("name"),
            "Category": _at("category"),
            "Duration": _at("duration_in_minutes"),
            **_moments("archived", "created", "updated"),
        },
    ),
}


@dataclass(frozen=True, kw_only=True)
class ClinikoSource:
    """The account of an organization; with `since`, only what changed since then."""

    setting: SourceSetting
    settings: Settings
    since: datetime | None = None
    on_wait: OnWait = _ignore
    on_step: OnStep = _ignore
    on_traffic: OnTraffic = lambda _requests, _bytes, _waited: None
    retry_policy: RetryPolicy = RETRY_POLICY

    def open(self, entity: Entity) -> "ClinikoList":
        """Check the key and what it may read, and count the records. Raises SyncError."""
        listed = LISTS[entity.name]
        self.on_step("checking_config")
        with self.client() as client:
            self.on_step("checking_credentials")
            found = client.survey(listed.path, self.filters(listed))
            held = found if listed.whole else None
            if held and self.since:
                held = client.survey(listed.path, EVERYTHING[listed.path])
            behind = client.behind
        return ClinikoList(
            source=self, listed=listed, entity=entity, total=found.total, held=held, behind=behind
        )

    def client(self) -> Client:
        """Return a client of the account."""
        slug = self.setting.organization
        return open_client(
            slug,
            self.settings,
            on_wait=self.on_wait,
            on_traffic=self.on_traffic,
            retry_policy=self.retry_policy,
        )

    def filters(self, listed: Listed) -> tuple[str, ...]:
        """Return the filters of a list: they include what Cliniko leaves out by itself."""
        return _filters(listed, self.since)


@dataclass
class Seen:
    """What was found while a list was read."""

    newer: int = 0  # records that came after the list was opened
    ids: set[str] = field(default_factory=set)  # where only what changed is read
    lost: dict[str, Some] = field(default_factory=dict)  # ids of the records, by the label
    refusals: list[str] = field(default_factory=list)  # to list who was deleted


@dataclass(frozen=True, kw_only=True)
class ClinikoList:
    """A list of records as a sheet whose headers are the labels of our fields; see `Sheet`."""

    source: ClinikoSource
    listed: Listed
    entity: Entity
    total: int  # when it was opened
    held: Survey | None = None  # of all records then, whenever they were changed
    behind: float = 0.0  # seconds by which Cliniko's clock is behind ours
    header_row: int = 0
    version: None = None
    locale: str | None = None
    unit: Literal["rows", "bytes"] = "rows"
    headers: Sequence[str] = field(init=False)
    seen: Seen = field(default_factory=Seen)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", [f.label for f in self.entity.fields])

    @property
    def name(self) -> str:
        """What a sentence about it begins with."""
        return f"Cliniko's list of {self.title.lower()}"

    @property
    def title(self) -> str:
        """What people call it."""
        return self.entity.title

    @property
    def notes(self) -> Sequence[str]:
        """Which records lost a field that cannot be read, and what is not listed; see `Sheet`."""
        return [
            *(
                f"{self.title}: {records.many('record')} kept without {label}, which cannot be read"
                f" as Cliniko gives it: {records}."
                for label, records in self.seen.lost.items()
            ),
            *(
                f"{self.title}: who was deleted was not listed, and is found when everything is"
                f" read again. {refusal}"
                for refusal in self.seen.refusals
            ),
        ]

    def pages(self, _numbers: frozenset[int], cursor: Any = None) -> Iterator[Page]:  # noqa: ANN401 - JSON
        """Read the records in the order of their ids, after that of the cursor.

        Where only what changed is read, those follow of whom Cliniko tells apart that they left.
        """
        after, row = (cursor["after"], cursor["row"]) if cursor else ("", 0)
        where, least = self.source.filters(self.listed), max(0, self.total - row)
        with self.source.client() as client:
            for batch in client.records(self.listed.path, after=after, where=where, least=least):
                records = iter(batch.records)
                while some := list(islice(records, STEP)):
                    after = next((r["id"] for r in reversed(some) if r), after)
                    yield self._page(some, row, self._cursor(after, row + len(some)))
                    row += len(some)
            for found in self._apart(client, self.source.since, self.seen):
                yield self._page(found.records, row, gone=found.gone)
                row += len(found.records) + len(found.gone)

    def _cursor(self, after: str, row: int) -> dict[str, object] | None:
        """Return where reading goes on; little is read again where only what changed is read."""
        return None if self.source.since else {"after": after, "row": row}

    def _apart(self, client: Client, since: datetime | None, seen: Seen) -> Iterator[Found]:
        if not since:
            return
        apart = Apart(client, self.listed.path, since, seen.ids, seen.refusals)
        for found in chain(
            apart.archived() if self.listed.archived else (),
            apart.deleted() if self.listed.deleted else (),
        ):
            if found.records or found.gone:
                yield found

    def count(self) -> int | None:
        """Return how many records there were when reading began, and came since; see `Counting`."""
        return self.held.total + self.seen.newer if self.held else None

    def changed_since(self, moment: datetime) -> bool:
        """Return whether any record was changed or left since, by Cliniko's clock: `Watchable`."""
        with self.source.client() as client:
            if client.count(self.listed.path, _filters(self.listed, moment)):
                return True
            return any(True for _ in self._apart(client, moment, Seen()))

    def link(self, _row: int, _column: int) -> str | None:
        """Return None: the addresses of an account's pages are not known."""
        return None

    def _page(
        self,
        records: Sequence[Record],
        before: int,
        cursor: dict[str, object] | None = None,
        gone: Sequence[str] = (),
    ) -> Page:
        """Return the rows of records, and below them those of records that are gone."""
        first_gone = before + 1 + len(records)
        last = before + len(records) + len(gone)
        broken: dict[int, RowFault] = {}
        rows = [self._row(record, row, broken) for row, record in enumerate(records, before + 1)]
        rows += [[key, *[None] * (len(self.headers) - 1)] for key in gone]
        self._see(records)
        return Page(
            rows=range(before + 1, last + 1),
            texts=[list(column) for column in zip(*rows, strict=True)],
            broken=broken,
            cursor=cursor,
            done=last,
            gone=range(first_gone, last + 1),
        )

    def _see(self, records: Sequence[Record]) -> None:
        """Count the records that came after the list was opened; note the few that changed."""
        newest = self.held.newest if self.held else None
        ids = [record["id"] for record in records if record]
        self.seen.newer += sum(int(one) > int(newest) for one in ids) if newest else 0
        if self.source.since:
            self.seen.ids.update(ids)

    def _row(self, record: Record, row: int, broken: dict[int, RowFault]) -> list[str | None]:
        """Return the cells of a record; it is `broken` where it cannot be kept as it is."""
        if not record:
            broken[row] = RowFault("nameless_record", {"what": self.title.lower()})
            return [None] * len(self.headers)
        cells: list[str | None] = []
        for place in self.entity.fields:
            try:
                cells.append(self._cell(place, record))
            except OddValueError:
                cells.append(None)
                if self.listed.whole:
                    self.seen.lost.setdefault(place.label, Some()).add(record["id"])
                else:
                    what = place.label
                    broken[row] = RowFault("odd_record", {"what": what}, sure=1, field=what)
        return cells

    def _cell(self, place: Field, record: Record) -> str | None:
        """Return a cell. Raises OddValueError where it cannot be read, and the record is kept."""
        text = _text(self.listed.cells[place.label](record))
        if text is not None and self.listed.whole:
            _refuse_what_cannot_be(place, text)
        return text


def _refuse_what_cannot_be(place: Field, text: str) -> None:
    """Refuse what is no such value; a day of a year that cannot be meant is for people to mend."""
    try:
        if isinstance(place, Date):
            date.fromisoformat(text)
        else:
            place.parse(text, ISO)
    except (CellError, ValueError) as error:
        raise OddValueError from error


def _filters(listed: Listed, since: datetime | None) -> tuple[str, ...]:
    changed = (changed_since(since),) if since else ()
    return (*EVERYTHING[listed.path], *changed)


def _text(value: object) -> str | None:
    """Return a value of JSON as a cell that the engine reads back as the same value."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value)
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return protected(text.strip())
