"""A file with a table, CSV or workbook: its first bytes tell which, whatever its name says."""

import os
from typing import BinaryIO

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Sheet
from sync_core.sources.files.csv_rows import open_csv
from sync_core.sources.files.file_types import OLE, ZIP
from sync_core.sources.files.workbook import open_workbook


def is_workbook(file: BinaryIO) -> bool:
    """Return whether a file may be a workbook of any kind, if only an old or a damaged one."""
    return os.pread(file.fileno(), len(OLE), 0).startswith((ZIP, OLE))


def open_table(
    file: BinaryIO,
    entity: Entity,
    *,
    name: str,
    title: str,
    tab: str | None = None,
    locale: str | None = None,
    charset: str | None = None,
    lasting: bool = False,
) -> Sheet:
    """Read the header of an entity's table in a file on disk, which the sheet closes.

    `name` begins sentences about the file, `title` is its own. Of a workbook it is the tab of this
    name, or else the one that is named like the entity. `charset` is what a server says of a CSV.
    A `lasting` file is found as it is by another process. Raises SyncError.
    """
    if is_workbook(file):
        return open_workbook(
            file, entity, name=name, title=title, tab=tab, locale=locale, lasting=lasting
        )
    return open_csv(file, entity, name=name, locale=locale, charset=charset, lasting=lasting)
