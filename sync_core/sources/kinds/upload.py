"""A file that somebody uploaded: the source of one run; nobody sets it as that of all."""

from sync_core.sources.files import upload
from sync_core.sources.kind import SourceKind

UPLOAD = SourceKind(
    name=upload.KIND,
    title="Uploaded file",
    icon=":material/upload_file:",
    typed="",
    parse=lambda _text: None,
    label=lambda setting: f"uploaded file {upload.name_of(setting)}",
    written=lambda _setting: "",
    open=lambda setting, opening: upload.UploadSource(setting, opening.on_bytes),
)
