"""A file that somebody uploaded for one run: fetched from Postgres, then read like any other."""

import hashlib
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import sqlalchemy as sa

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Sheet
from sync_core.foundation import db, tables
from sync_core.foundation.errors import SyncError
from sync_core.sources.files.table_file import Told, open_table
from sync_core.sources.kind import OnBytes, SourceSetting

KIND = "upload"

_UPLOADS, _CHUNKS = tables.uploads.c, tables.upload_chunks.c
_ORGANIZATIONS = tables.organizations.c


def location(upload_id: int, name: str) -> str:
    """Return the location of a source setting that names an upload."""
    return f"{upload_id}:{name}"


def name_of(setting: SourceSetting) -> str:
    """Return the name that the file had where it came from."""
    return setting.location.partition(":")[2]


@dataclass(frozen=True)
class UploadSource:
    """The uploaded file that a setting names."""

    setting: SourceSetting
    on_bytes: OnBytes

    def open(self, entity: Entity) -> Sheet:
        """Fetch the file and read the header of the entity's table. Raises SyncError."""
        name = name_of(self.setting)
        return open_file(_fetch(self.setting, self.on_bytes), name, entity, self.setting.locale)


def open_file(file: BinaryIO, name: str, entity: Entity, locale: str | None) -> Sheet:
    """Read the header of a table in a file that somebody gave. Raises SyncError."""
    told = Told(locale=locale)
    return open_table(file, entity, name=f"The uploaded file '{name}'", title=name, told=told)


def _fetch(setting: SourceSetting, on_bytes: OnBytes) -> BinaryIO:
    """Copy what an upload of the organization holds into a file. Raises SyncError (upload_lost)."""
    upload_id = int(setting.location.partition(":")[0])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the sheet closes it
    try:
        with db.within(_organization(setting.organization)) as connection:
            size, sha256 = connection.execute(
                sa.select(_UPLOADS.size, _UPLOADS.sha256).where(_UPLOADS.id == upload_id)
            ).one()
            digest = hashlib.sha256()
            for chunk in _chunks(connection, upload_id):
                file.write(chunk)
                digest.update(chunk)
                on_bytes(file.tell(), size)
        file.flush()
    except BaseException:
        file.close()
        raise
    if digest.hexdigest() != sha256:
        file.close()
        raise SyncError("upload_lost", name=name_of(setting))
    return file


def _organization(slug: str) -> int:
    """Return the id of an organization; their names stand behind no wall."""
    query = sa.select(_ORGANIZATIONS.id).where(_ORGANIZATIONS.slug == slug)
    with db.within() as connection:
        return int(connection.execute(query).scalar_one())


def _chunks(connection: db.Connection, upload_id: int) -> Iterator[bytes]:
    """Read the chunks one by one: together they may be large."""
    for number in itertools.count():
        chunk = connection.execute(
            sa.select(_CHUNKS.content).where(
                _CHUNKS.upload_id == upload_id, _CHUNKS.number == number
            )
        ).scalar_one_or_none()
        if chunk is None:
            return
        yield chunk
