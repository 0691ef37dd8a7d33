"""The kinds of sources: one line for each."""

from sync_core.sources.kind import SourceKind
from sync_core.sources.kinds.cliniko import CLINIKO
from sync_core.sources.kinds.folder import FOLDER
from sync_core.sources.kinds.google_sheet import GOOGLE_SHEET
from sync_core.sources.kinds.published_csv import PUBLISHED_CSV
from sync_core.sources.kinds.upload import UPLOAD

# a person's words are tried in this order: an address of a Google Sheet is not that of a CSV
KINDS: dict[str, SourceKind] = {
    kind.name: kind for kind in (GOOGLE_SHEET, PUBLISHED_CSV, FOLDER, CLINIKO, UPLOAD)
}
