"""A folder of files: a CSV or a workbook for each table, or one workbook with a tab for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Sheet
from sync_core.foundation.errors import SyncError
from sync_core.sources.files.own_folder import OwnFolder, shown
from sync_core.sources.files.table_file import Told, open_table
from sync_core.sources.kind import SourceSetting

WORKBOOKS = (".xlsx", ".xlsm")


@dataclass(frozen=True)
class FolderSource:
    """The folder that a setting names, in the organization's own."""

    setting: SourceSetting
    own: OwnFolder

    def open(self, entity: Entity) -> Sheet:
        """Open the entity's file and read its header. Raises SyncError."""
        file_name = self._find(entity.name)
        file = self.own.open(str(PurePosixPath(self.setting.location, file_name)))
        return open_table(
            file,
            entity,
            name=f"The file '{file_name}'",
            title=file_name,
            told=Told(self.setting.tab, self.setting.locale, self.setting.header_row),
            lasting=True,
        )

    def _find(self, entity: str) -> str:
        """Find the file of an entity, or else the workbook of its resource."""
        resource, folder = self.setting.resource, label(self.setting)
        names = self.own.names(self.setting.location)
        found = _called(names, entity, (".csv", *WORKBOOKS)) or _called(names, resource, WORKBOOKS)
        if not found:
            raise SyncError("no_file_of_table", table=entity, resource=resource, folder=folder)
        if len(found) > 1:
            named = " and ".join(f"'{name}'" for name in found)
            raise SyncError("several_files_of_table", files=named, table=entity, folder=folder)
        return found[0]


def label(setting: SourceSetting) -> str:
    """Return the name of a setting's folder in sentences."""
    path = setting.location
    return "the organization's folder" if path == "." else f"folder {shown(path)}"


def _called(names: Sequence[str], stem: str, endings: Sequence[str]) -> list[str]:
    wanted = {f"{stem}{ending}".casefold() for ending in endings}
    return [name for name in names if name.casefold() in wanted]
