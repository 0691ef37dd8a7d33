"""A folder of CSV files, one `<entity>.csv` for each table."""

from dataclasses import dataclass
from pathlib import Path

from sync_core.catalogue.resource import Entity
from sync_core.foundation.errors import SyncError
from sync_core.sources.files.csv_rows import CsvSheet, open_csv
from sync_core.sources.kind import SourceSetting


@dataclass(frozen=True)
class FolderSource:
    """The folder that a setting names."""

    setting: SourceSetting

    def open(self, entity: Entity) -> CsvSheet:
        """Open the entity's file and read its header. Raises SyncError."""
        path = _find(Path(self.setting.location), f"{entity.name}.csv")
        name = f"The file '{path.name}'"
        try:
            file = path.open("rb")
        except OSError as error:
            raise SyncError("unreadable_file", name=name, why=error.strerror) from error
        return open_csv(
            file, name=name, title=entity.title, locale=self.setting.locale, lasting=True
        )


def _find(folder: Path, file_name: str) -> Path:
    if not folder.is_dir():
        raise SyncError("no_folder", folder=folder)
    try:
        names = [path for path in folder.iterdir() if path.name.lower() == file_name.lower()]
    except OSError as error:
        name = f"The folder {folder}"
        raise SyncError("unreadable_file", name=name, why=error.strerror) from error
    files = sorted(path for path in names if path.is_file())
    if not files:
        raise SyncError("no_csv_file", file=file_name, folder=folder)
    if len(files) > 1:
        found = " and ".join(f"'{path.name}'" for path in files)
        raise SyncError("several_csv_files", files=found, file=file_name, folder=folder)
    return files[0]
