"""A folder of files: a CSV or a workbook for each table, or one workbook with a tab for each."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Sheet
from sync_core.foundation.errors import SyncError
from sync_core.sources.files.table_file import Told, open_table
from sync_core.sources.kind import SourceSetting

WORKBOOKS = (".xlsx", ".xlsm")


@dataclass(frozen=True)
class FolderSource:
    """The folder that a setting names; files may be read in those `allowed`, None: in any."""

    setting: SourceSetting
    allowed: Sequence[Path] | None = None

    def open(self, entity: Entity) -> Sheet:
        """Open the entity's file and read its header. Raises SyncError."""
        folder = Path(self.setting.location)
        require_allowed(folder, self.allowed)
        path = _find(folder, entity.name, self.setting.resource)
        require_allowed(path, self.allowed)  # it may be a link
        name = f"The file '{path.name}'"
        try:
            file = path.open("rb")
        except OSError as error:
            raise SyncError("unreadable_file", name=name, why=error.strerror) from error
        return open_table(
            file,
            entity,
            name=name,
            title=path.name,
            told=Told(self.setting.tab, self.setting.locale, self.setting.header_row),
            lasting=True,
        )


def require_allowed(path: Path, allowed: Sequence[Path] | None) -> None:
    """Raise SyncError where a path leads, by whatever links, out of the allowed folders."""
    if allowed is None:
        return
    place = Path(os.path.realpath(path))
    if not any(place.is_relative_to(os.path.realpath(folder)) for folder in allowed):
        raise SyncError("folder_not_allowed", path=path)


def _find(folder: Path, entity: str, resource: str) -> Path:
    """Find the file of an entity, or else the workbook of its resource."""
    if not folder.is_dir():
        raise SyncError("no_folder", folder=folder)
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        name = f"The folder {folder}"
        raise SyncError("unreadable_file", name=name, why=error.strerror) from error
    found = _called(files, entity, (".csv", *WORKBOOKS)) or _called(files, resource, WORKBOOKS)
    if not found:
        raise SyncError("no_file_of_table", table=entity, resource=resource, folder=folder)
    if len(found) > 1:
        named = " and ".join(f"'{path.name}'" for path in found)
        raise SyncError("several_files_of_table", files=named, table=entity, folder=folder)
    return found[0]


def _called(files: Sequence[Path], stem: str, endings: Sequence[str]) -> list[Path]:
    names = {f"{stem}{ending}".casefold() for ending in endings}
    return [path for path in files if path.name.casefold() in names]
