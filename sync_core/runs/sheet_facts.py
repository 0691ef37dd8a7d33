"""What a run notes in its checkpoints of each sheet that it reads."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue.resource import Entity
from sync_core.foundation import tables
from sync_core.foundation.counting import moment_there
from sync_core.runs.run import in_step
from sync_core.sources import SourceSetting, kind_of, source_name

SheetLinks = Mapping[str, str]  # entity -> the address of its sheet's first cell


@dataclass(frozen=True)
class ReadWindow:
    """What a run reads, and when it began to; `since` is None where it reads everything."""

    began: datetime  # by the clock of its source, once that is known
    since: datetime | None = None
    settled: bool = field(default=False, compare=False)  # it is by that clock

    def settle(self, behind: float) -> Self:
        """Return it by the clock of a source that is so many seconds behind ours."""
        if self.settled:
            return self
        there = self.began - timedelta(seconds=max(0.0, behind))
        return replace(self, began=there, settled=True)

    def sentence(self, time_zone: str) -> str:
        """Return what people are told of it."""
        if self.since is None:
            return "Read everything."
        return f"Read what changed since {moment_there(self.since, time_zone)}."

    def as_json(self) -> dict[str, str | None]:
        """Return it as a checkpoint keeps it."""
        since = self.since.isoformat() if self.since else None
        return {"began": self.began.isoformat(), "since": since}

    @classmethod
    def from_json(cls, kept: Mapping[str, str | None]) -> Self | None:
        """Return the window that was kept, if it has a beginning."""
        began, since = kept.get("began"), kept.get("since")
        if not began:
            return None
        read_since = datetime.fromisoformat(since) if since else None
        return cls(datetime.fromisoformat(began), read_since, settled=True)


@dataclass(frozen=True)
class Address:
    """Where a sheet is read, as it may be kept: addresses may hold secrets."""

    digest: str  # SHA-256 of the setting
    label: str  # in sentences

    @classmethod
    def of(cls, setting: SourceSetting) -> Self | None:
        """Return the address of a setting; None where it is that of a file for one run."""
        if not kind_of(setting).typed:
            return None
        where = json.dumps([setting.kind, setting.location, setting.tab])
        return cls(hashlib.sha256(where.encode()).hexdigest(), source_name(setting))


@dataclass(frozen=True, kw_only=True)
class SheetFacts:
    """All that decides what a row of a sheet becomes in staging, and where people see the sheet.

    Another attempt goes on with what is staged only where all of it is as it was.
    """

    name: str
    title: str
    headers: Sequence[str]
    locale: str | None = None
    link: str | None = None  # the address of the header's first cell; None where it has none
    declaration: str = ""  # of the entity (`declaration`)
    version: Any = None  # JSON; None where the source has none
    window: ReadWindow | None = None  # None where the source cannot tell what changed
    address: Address | None = None  # of its source; None where that is of this run alone

    def as_json(self) -> dict[str, Any]:
        """Return them as a checkpoint keeps them."""
        window = self.window.as_json() if self.window else None
        return {**asdict(self), "headers": list(self.headers), "window": window}


READING = 2  # raised where the same cells are read, or staged, in another way


def declaration(entity: Entity) -> str:
    """Return a text that changes with all that decides what a row of the entity becomes."""
    return hashlib.sha256(f"{READING} {entity!r}".encode()).hexdigest()


# What others ask of kept facts, in SQL

_KEPT = tables.checkpoints.c
HEADERS = _KEPT.sheet["headers"]
TITLE = _KEPT.sheet["title"].as_string()
LINK = _KEPT.sheet["link"].as_string()
DECLARATION = _KEPT.sheet["declaration"].as_string()
WINDOW = _KEPT.sheet["window"]


def links(connection: Connection, run_id: int) -> SheetLinks:
    """Return the addresses of the sheets that the run has read; only those on the web."""
    query = sa.select(_KEPT.entity, LINK).where(_KEPT.run_id == run_id)
    return {entity: link for entity, link in connection.execute(query) if link}


def read_from(connection: Connection, run_id: int) -> dict[str, str | None]:
    """Return in words where the run has read, each with its address on the web if it has one."""
    name = sa.func.coalesce(_KEPT.sheet["address"]["label"].as_string(), TITLE)
    query = sa.select(name.label("name"), LINK.label("link")).where(
        _KEPT.run_id == run_id, name.is_not(None)
    )
    rows = connection.execute(query.order_by(_KEPT.entity))
    return {row.name: row.link for row in rows}


def address_before(connection: Connection, run_id: int, entity: str) -> Address | None:
    """Return where the last run that was applied has read the entity, uploads left out."""
    runs = tables.runs
    this = sa.select(runs.c.organization_id, runs.c.resource).where(runs.c.id == run_id).subquery()
    kept = _KEPT.sheet["address"]
    found = connection.execute(
        sa.select(kept)
        .join_from(runs, tables.checkpoints, _KEPT.run_id == runs.c.id)
        .where(
            runs.c.organization_id == this.c.organization_id,
            runs.c.resource == this.c.resource,
            runs.c.id != run_id,
            in_step(runs),
            _KEPT.entity == entity,
            kept["digest"].as_string().is_not(None),
        )
        .order_by(runs.c.finished_at.desc())
        .limit(1)
    ).scalar()
    return Address(**found) if found else None


def version(connection: Connection, run_id: int, entity: str) -> Any:  # noqa: ANN401 - JSON
    """Return the version of the sheet from which the run has read an entity, as JSON."""
    query = sa.select(_KEPT.sheet["version"])
    return connection.execute(query.where(_KEPT.run_id == run_id, _KEPT.entity == entity)).scalar()


def headers(connection: Connection, run_id: int) -> list[str]:
    """Return the headers of the sheets that the run has read, each once."""
    sheets = headers_by_entity(connection, run_id).values()
    return list(dict.fromkeys(header for sheet in sheets for header in sheet))


def headers_by_entity(connection: Connection, run_id: int) -> dict[str, list[str]]:
    """Return the headers of each sheet that the run has read, blank ones left out."""
    query = sa.select(_KEPT.entity, HEADERS).where(_KEPT.run_id == run_id).order_by(_KEPT.entity)
    rows = connection.execute(query)
    return {entity: [header for header in sheet if header] for entity, sheet in rows}
