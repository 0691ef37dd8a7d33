"""A folder on the server that holds a CSV file or a workbook for each table."""

from pathlib import Path

from sync_core.foundation import settings
from sync_core.sources.files.folder import FolderSource, require_allowed
from sync_core.sources.kind import Location, SourceKind

PREFIX = "folder:"


def _parse(text: str, cwd: Path) -> Location | None:
    if not text.lower().startswith(PREFIX):
        return None
    path = text[len(PREFIX) :].strip()
    if not path:
        raise ValueError("the path of the folder is missing")
    try:
        # a link stays a link: what it points at may change from sync to sync
        folder = (cwd / Path(path).expanduser()).absolute()
    except RuntimeError:
        raise ValueError("there is no such home folder") from None
    if "\0" in path:
        raise ValueError("no path holds a NUL character")
    require_allowed(folder, settings.current().folders)
    return Location("folder", str(folder))


FOLDER = SourceKind(
    name="folder",
    title="Folder of files",
    icon=":material/folder:",
    typed=f"{PREFIX}PATH",
    parse=_parse,
    label=lambda setting: f"folder {setting.location}",
    open=lambda setting, opening: FolderSource(setting, opening.settings.folders),
)
