"""Cliniko: the lists of an account as sheets, in the order of ids: all records, or the changed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from sync_core.catalogue.fields.cells import protected
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.foundation.settings import Settings
from sync_core.sources.cliniko.answers import Record
from sync_core.sources.cliniko.client import EVERYTHING, RETRY_POLICY, Client, open_client
from sync_core.sources.kind import OnStep, SourceSetting
from sync_core.sources.retry import OnWait, RetryPolicy

STEP = 50  # rows of a page of ours: people see the counts rise
Cell = Callable[[Record], object]


def _ignore(_sentence: str) -> None:
    pass


def _at(name: str) -> Cell:
    return lambda record: record.get(name)


def _linked(name: str) -> Cell:
    """Return the id at the end of a link: the only place where Cliniko writes it."""

    def cell(record: Record) -> object:
        address = ((record.get(name) or {}).get("links") or {}).get("self")
        last = str(address or "").rstrip("/").rpartition("/")[2]
        return last if last.isdecimal() else None

    return cell


def _joined(*names: str, by: str) -> Cell:
    return lambda record: by.join(
        text for name in names if (text := str(record.get(name) or "").strip())
    )


def _phones(record: Record) -> object:
    numbers = record.get("patient_phone_numbers") or []
    texts = (_joined("phone_type", "number", by=": ")(number) for number in numbers)
    return ", ".join(text for text in map(str, texts) if text)


def _moments(*names: str) -> dict[str, Cell]:
    """Return the columns whose name is the same in both: "Archived at", `archived_at`."""
    return {f"{name.capitalize()} at": _at(f"{name}_at") for name in names}


@dataclass(frozen=True)
class Listed:
    """Where Cliniko lists the records of an entity, and what stands in each column.

    `whole` tells whether each of them is kept, so that their number can be compared.
    """

    path: str
    cells: Mapping[str, Cell]
    whole: bool = False


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
    retry_policy: RetryPolicy = RETRY_POLICY

    def open(self, entity: Entity) -> "ClinikoList":
        """Check the key and what it may read, and count the records. Raises SyncError."""
        listed = LISTS[entity.name]
        self.on_step("checking_config")
        with self.client() as client:
            self.on_step("checking_credentials")
            total = client.count(listed.path, self.filters(listed))
        return ClinikoList(source=self, listed=listed, entity=entity, total=total)

    def client(self) -> Client:
        """Return a client of the account."""
        slug = self.setting.organization
        return open_client(
            slug, self.settings, on_wait=self.on_wait, retry_policy=self.retry_policy
        )

    def filters(self, listed: Listed) -> tuple[str, ...]:
        """Return the filters of a list: they include what Cliniko leaves out by itself."""
        return _filters(listed, self.since)


@dataclass(frozen=True, kw_only=True)
class ClinikoList:
    """A list of records as a sheet whose headers are the labels of our fields; see `Sheet`."""

    source: ClinikoSource
    listed: Listed
    entity: Entity
    total: int | None  # when it was opened
    header_row: int = 0
    notes: Sequence[str] = ()
    version: None = None
    locale: str | None = None
    unit: Literal["rows", "bytes"] = "rows"
    headers: Sequence[str] = field(init=False)

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

    def pages(self, _numbers: frozenset[int], cursor: Any = None) -> Iterator[Page]:  # noqa: ANN401 - JSON
        """Read the records in the order of their ids, after that of the cursor."""
        after, row = (cursor["after"], cursor["row"]) if cursor else ("", 0)
        where = self.source.filters(self.listed)
        with self.source.client() as client:
            for batch in client.records(self.listed.path, after=after, where=where):
                records = iter(batch.records)
                while some := list(islice(records, STEP)):
                    yield self._page(some, row)
                    row += len(some)

    def count(self) -> int | None:
        """Return how many records there are now, including the archived ones; see `Counting`."""
        if not self.listed.whole:
            return None
        with self.source.client() as client:
            return client.count(self.listed.path, EVERYTHING[self.listed.path])

    def changed_since(self, moment: datetime) -> bool:
        """Return whether any record was changed since; see `Watchable`."""
        with self.source.client() as client:
            return client.count(self.listed.path, _filters(self.listed, moment)) > 0

    def link(self, _row: int, _column: int) -> str | None:
        """Return None: the addresses of an account's pages are not known."""
        return None

    def _page(self, records: Sequence[Record], before: int) -> Page:
        cells = [self.listed.cells[label] for label in self.headers]
        last = before + len(records)
        return Page(
            rows=range(before + 1, last + 1),
            texts=[[_text(cell(record)) for record in records] for cell in cells],
            cursor={"after": records[-1]["id"], "row": last},
            done=last,
        )


def _filters(listed: Listed, since: datetime | None) -> tuple[str, ...]:
    changed = (f"updated_at:>={since:%Y-%m-%dT%H:%M:%SZ}",) if since else ()
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
