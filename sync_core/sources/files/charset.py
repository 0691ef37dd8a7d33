"""How the characters of a file are written: its own mark, what its server says, or else UTF-8."""

import codecs
import os
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from sync_core.foundation.errors import SyncError
from sync_core.sources.files.csv_text import read

CHUNK = 2**20  # bytes

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF32_MARKS = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_AS_BROWSERS_DO = {"iso8859_1": "cp1252", "ascii": "cp1252"}  # WHATWG's Encoding Standard
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}


def in_utf8(file: BinaryIO, name: str, declared: str | None = None) -> tuple[BinaryIO, int]:
    """Return a file with the same characters in UTF-8, and where they begin after its mark.

    It is the file itself where that is in UTF-8 already, else one without a name; the file stays
    open. `declared` is the charset that a server names: it is believed, unless there is a mark, or
    all is UTF-8 and could hardly be so by chance. Raises SyncError.
    """
    start = read(file, name, 4, 0)
    if start.startswith(_UTF32_MARKS):
        raise SyncError("not_utf8", name=name, why="it is UTF-32")
    if start.startswith(_UTF16_MARKS):
        return _rewritten(file, name, "utf-16"), 0
    if start.startswith(_UTF8_MARK):
        return file, len(_UTF8_MARK)
    charset = _known(declared)
    if charset and not _is_clearly_utf8(file, name):
        return _rewritten(file, name, charset), 0
    if b"\0" in start[:2]:
        raise SyncError("not_utf8", name=name, why="it is UTF-16")
    return file, 0


def _known(declared: str | None) -> str | None:
    """Return the name of a charset other than UTF-8; None where there is none of this name."""
    try:
        "".encode(declared or "utf-8")
        name = codecs.lookup(declared or "utf-8").name.replace("-", "_")
    except (LookupError, ValueError):  # also of codecs that are not of characters
        return None
    return None if name == "utf_8" or name in _NO_CHARSETS else _AS_BROWSERS_DO.get(name, name)


def _is_clearly_utf8(file: BinaryIO, name: str) -> bool:
    """Return whether a file is UTF-8 with characters that other charsets write otherwise."""
    decoder, plain = codecs.getincrementaldecoder("utf-8")(), True
    try:
        for chunk, last in _chunks(file, name):
            plain = plain and chunk.isascii()
            decoder.decode(chunk, final=last)
    except UnicodeDecodeError:
        return False
    return not plain


def _rewritten(file: BinaryIO, name: str, charset: str) -> BinaryIO:
    decoder, lines = codecs.getincrementaldecoder(charset)(), 1
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the sheet closes it
    try:
        for chunk, last in _chunks(file, name):
            text = decoder.decode(chunk, final=last)
            copy.write(text.encode())
            lines += text.count("\n")
        copy.flush()
    except UnicodeError as error:
        copy.close()
        if isinstance(error, UnicodeDecodeError):
            lines += error.object[: error.start].count(b"\n")
        charset = charset.upper().replace("_", "-")
        raise SyncError("wrong_charset", name=name, charset=charset, line=lines) from error
    except BaseException:
        copy.close()
        raise
    return copy


def _chunks(file: BinaryIO, name: str) -> Iterator[tuple[bytes, bool]]:
    """Return the bytes of a file, a chunk at a time, and whether it is the last one."""
    size, at = os.fstat(file.fileno()).st_size, 0
    while chunk := read(file, name, CHUNK, at):
        at += len(chunk)
        yield chunk, at >= size
