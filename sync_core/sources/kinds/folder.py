"""A folder that holds a CSV file or a workbook for each table, in the organization's own folder."""

from pathlib import PurePosixPath

from sync_core.catalogue.source import Source
from sync_core.sources.files.folder import FolderSource, label
from sync_core.sources.files.own_folder import DEEPEST, OwnFolder, shown
from sync_core.sources.kind import Location, Opening, SourceKind, SourceSetting

PREFIX = "folder:"


def _parse(text: str) -> Location | None:
    if not text.lower().startswith(PREFIX):
        return None
    path = text[len(PREFIX) :].strip()
    if not path:
        raise ValueError("the path of the folder is missing")
    if path.startswith(("/", "~")) or ".." in PurePosixPath(path).parts:
        raise ValueError(
            "the path begins in the organization's own folder and does not leave it;"
            " write for example folder:clinics, or folder:. for the whole folder"
        )
    if len(PurePosixPath(path).parts) > DEEPEST:
        raise ValueError(f"the path leads through more than {DEEPEST} folders")
    return Location("folder", str(PurePosixPath(path)))


def _open(setting: SourceSetting, opening: Opening) -> Source:
    return FolderSource(setting, OwnFolder(opening.settings.folders, setting.organization))


def _written(setting: SourceSetting) -> str:
    """Return what was written, but of a path of the machine, from earlier, nothing."""
    return "" if setting.location.startswith("/") else f"{PREFIX}{setting.location}"


FOLDER = SourceKind(
    name="folder",
    title="Folder of files",
    icon=":material/folder:",
    typed=f"{PREFIX}PATH",
    parse=_parse,
    label=label,
    file=lambda setting: f"{setting.entity}.csv (or .xlsx)",
    written=_written,
    host=lambda setting: shown(setting.location),
    open=_open,
    needs=frozenset({"given_folders", "data"}),
)
