"""Uploaded files: the sources of single runs, kept in Postgres, where any worker can read them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue.resource import Resource
from sync_core.foundation import tables
from sync_core.organizations import Organization
from sync_core.sources import SourceSetting
from sync_core.sources.files import upload

CHUNK = 2**20  # bytes

_UPLOADS, _CHUNKS, _RUNS = tables.uploads.c, tables.upload_chunks.c, tables.runs.c


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that somebody gave as the source of a run; what it holds goes when the run ends."""

    entities: Sequence[str]  # that are read from it
    name: str
    size: int  # bytes
    sha256: str  # in hexadecimal
    locale: str | None = None  # of its numbers and dates


def keep(connection: Connection, run_id: int, given: Upload, content: BinaryIO) -> None:
    """Keep a file for a run, a chunk at a time."""
    upload_id = connection.execute(
        sa.insert(tables.uploads).values(run_id=run_id, **asdict(given)).returning(_UPLOADS.id)
    ).scalar_one()
    content.seek(0)
    number = 0
    while chunk := content.read(CHUNK):
        connection.execute(
            sa.insert(tables.upload_chunks).values(
                upload_id=upload_id, number=number, content=chunk
            )
        )
        number += 1


def of_run(connection: Connection, run_id: int) -> list[Upload]:
    """Return the files that a run was given, in the order in which they were."""
    rows = connection.execute(_read(run_id)).mappings()
    return [Upload(**{name: row[name] for name in Upload.__dataclass_fields__}) for row in rows]


def _read(run_id: int) -> sa.Select[tuple[object, ...]]:
    return sa.select(tables.uploads).where(_UPLOADS.run_id == run_id).order_by(_UPLOADS.id)


def settings_of_run(
    connection: Connection, organization: Organization, resource: Resource, run_id: int
) -> list[SourceSetting]:
    """Return where a run reads each entity, if it was given files; none where it was not."""
    of_organization = _RUNS.organization_id == organization.id
    ours = _read(run_id).join(tables.runs, _RUNS.id == _UPLOADS.run_id).where(of_organization)
    found = {
        entity: SourceSetting(
            organization=organization.slug,
            resource=resource.name,
            entity=entity,
            kind=upload.KIND,
            location=upload.location(row["id"], row["name"]),
            locale=row["locale"],
        )
        for row in connection.execute(ours).mappings()
        for entity in row["entities"]
    }
    return [found[entity.name] for entity in resource.entities if entity.name in found]


def drop_ended(connection: Connection) -> None:
    """Drop what the files of ended runs hold; that they were given stays known."""
    ended = (
        sa.select(_UPLOADS.id)
        .join(tables.runs, _RUNS.id == _UPLOADS.run_id)
        .where(_RUNS.finished_at.is_not(None))
    )
    connection.execute(sa.delete(tables.upload_chunks).where(_CHUNKS.upload_id.in_(ended)))
