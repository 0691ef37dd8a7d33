"""A file with a table, CSV or workbook: its first bytes tell which, whatever its name says."""

import os
from dataclasses import dataclass
from typing import BinaryIO

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Sheet
from sync_core.sources.files.csv_rows import open_csv
from sync_core.sources.files.file_types import OLE, ZIP
from sync_core.sources.files.workbook import open_workbook


def is_workbook(file: BinaryIO) -> bool:
    """Return whether a file may be a workbook of any kind, if only an old or a damaged one."""
    return os.pread(file.fileno(), len(OLE), 0).startswith((ZIP, OLE))


@dataclass(frozen=True)
class Told:
    """What people tell of a table: the title of its tab, its locale, the row of its header."""

    tab: str | None = None
    locale: str | None = None
    header_row: int | None = None


def open_table(
    file: BinaryIO,
    entity: Entity,
    *,
    name: str,
    title: str,
    told: Told,
    charset: str | None = None,
    lasting: bool = False,
) -> Sheet:
    """Read the header of an entity's table in a file on disk, which the sheet closes.

    `name` begins sentences about the file, `title` is its own. Of a workbook it is the tab that is
    told, or else the one that is named like the entity; a header row that is not told is found by
    its labels. `charset` is what a server says of a CSV. A `lasting` file is found as it is by
    another process. Raises SyncError.
    """
    if is_workbook(file):
        return open_workbook(
            file,
            entity,
            name=name,
            title=title,
            tab=told.tab,
            locale=told.locale,
            header_row=told.header_row,
            lasting=lasting,
        )
    return open_csv(
        file,
        entity,
        name=name,
        locale=told.locale,
        charset=charset,
        header_row=told.header_row,
        lasting=lasting,
    )
