"""What a file is instead of CSV, as its first bytes tell."""

import re

from sync_core.foundation.errors import SyncError

ZIP = b"PK\x03\x04"  # a workbook, or what is named where these are opened
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what Office wrote before 2007, and with a password

_BEGINNINGS = (
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a text document (.rtf)"),
    (b"\x1f\x8b", "a packed file (gzip)"),
    (b"BZh", "a packed file (bzip2)"),
    (b"\xfd7zXZ\0", "a packed file (xz)"),
    (b"\x28\xb5\x2f\xfd", "a packed file (zstd)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|(?:html|head|body|title|meta|script|style|link|"
    rb"table|thead|tbody|tr|div|span|p|pre|center|font|br|hr|b|i|strong|h[1-6])[\s>/])",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(rb"\s*<(?:\?xml\s|[a-z][\w:.-]*(?:\s+[\w:.-]+\s*=|\s*>|\s*/>))", re.IGNORECASE)
_EXCEL_IN_XML = b"urn:schemas-microsoft-com:office:spreadsheet"
_JSON = re.compile(rb"""\s*(?:\{\s*["}]|\[\s*(?:["{\[\]]|-?\d|true\b|false\b|null\b))""")


def refuse_what_is_no_csv(start: bytes, name: str) -> None:
    """Raise SyncError where a file that begins with `start`, in ASCII's terms, is no CSV.

    `name` begins the sentence. Of a text, `start` has no byte order mark.
    """
    if not start.strip():
        raise SyncError("empty_file", name=name)
    refuse_another_kind(start, name)


def refuse_another_kind(start: bytes, name: str) -> None:
    """Raise SyncError where a file that begins with `start` is of another kind."""
    if is_web_page(start):
        raise SyncError("html_instead_of_csv", name=name)
    if what := what_it_is(start):
        raise SyncError("not_csv", name=name, what=what)


def is_web_page(start: bytes) -> bool:
    """Return whether this is HTML; also a table of it, as some programs write for Excel."""
    beginning = start[:10_000]
    return bool(
        _HTML.match(beginning)
        or (_XML.match(beginning) and re.search(rb"<html[\s>]", beginning, re.IGNORECASE))
    )


def what_it_is(start: bytes) -> str | None:
    """Return in words what a file is that begins so; None where it may be CSV."""
    if _EXCEL_IN_XML in start[:10_000]:
        return "an Excel workbook in XML"
    if _XML.match(start) and (b"</" in start or b"/>" in start):
        return "an XML document"
    if _JSON.match(start):
        return "JSON"
    return next((what for begins, what in _BEGINNINGS if start.startswith(begins)), None)
