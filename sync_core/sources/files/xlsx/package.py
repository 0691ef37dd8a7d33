"""A workbook's file: a zip of XML parts, each read as a stream and only so far as is safe.

Whoever made the file may mean harm, so every part is limited by what it unpacks to, by the names
that the parser keeps, and by what it holds back until a tag ends. A document type is refused, and
with it every entity.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO
from xml.parsers import expat

from sync_core.foundation.errors import SyncError
from sync_core.sources.files.file_types import OLE

MB = 2**20
DIRECTORY = 1 * MB  # bytes; of what a zip lists of itself
LARGEST_SHEET = 2048 * MB  # bytes when unpacked; ten million cells have about 400 MB
LARGEST_STRINGS = 512 * MB
LARGEST_PART = 16 * MB  # of any other part
LARGEST_ROW = 16 * MB  # characters
CHUNK = 2**16
HELD_BACK = 1 * MB  # bytes of a tag or a comment that does not end
NAMES = 2000  # of elements and attributes; a real workbook has some dozens
DEEPEST = 100  # elements within each other; a real workbook has about ten

ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
OTHER_KINDS = {  # a part of the zip, and what the file is then
    "xl/workbook.bin": "a binary Excel workbook (.xlsb)",
    "content.xml": "an OpenDocument sheet (.ods)",
    "Index/Document.iwa": "a Numbers spreadsheet",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint presentation",
}
WITH_A_PASSWORD = 0x1  # a flag of a part
OnStart = Callable[[str, dict[str, str]], object]
OnEnd = Callable[[str], object]
OnText = Callable[[str], object]


class DepthError(Exception):
    """Elements stand within each other deeper than in any workbook."""


_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    DepthError,
)


@dataclass(frozen=True)
class Package:
    """An opened workbook file; `name` begins sentences about it."""

    zip: zipfile.ZipFile
    name: str

    def has(self, part: str) -> bool:
        """Return whether there is such a part."""
        return part in self.zip.NameToInfo

    def size(self, part: str) -> int:
        """Return the bytes of a part when it is unpacked."""
        return self.zip.getinfo(part).file_size

    def feed(
        self, part: str, parser: expat.XMLParserType, largest: int = LARGEST_PART
    ) -> Iterator[int]:
        """Parse a part piece by piece; after each, return how many bytes were read.

        Raises SyncError (damaged_workbook, workbook_too_large).
        """
        if not self.has(part):
            raise self.damaged(f"its part {part} is missing")
        self.require_at_most(self.size(part), largest, f"its part {part}")
        parser.StartDoctypeDeclHandler = self._refuse_document_type
        done = 0
        with self._guarded(part), self._open(part) as stream:
            while chunk := stream.read(CHUNK):
                done += len(chunk)
                parser.Parse(chunk)
                self._refuse_what_grows(parser, done)
                yield done
            parser.Parse(b"", True)  # noqa: FBT003 - expat's: no more will come
            yield done

    def _open(self, part: str) -> IO[bytes]:
        info = self.zip.getinfo(part)
        plain = info.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        if info.flag_bits & WITH_A_PASSWORD or not plain:
            raise zipfile.BadZipFile(part)  # no spreadsheet program packs so
        return self.zip.open(info)

    @contextmanager
    def _guarded(self, part: str) -> Iterator[None]:
        try:
            yield
        except expat.ExpatError as error:
            raise self.damaged(f"its part {part} is no XML (line {error.lineno})") from error
        except _DAMAGES as error:
            raise self.damaged(f"its part {part} is damaged") from error
        except OSError as error:
            raise SyncError("unreadable_file", name=self.name, why=error.strerror) from error

    def _refuse_what_grows(self, parser: expat.XMLParserType, done: int) -> None:
        held_back = done - max(parser.CurrentByteIndex, 0)
        self.require_at_most(held_back, HELD_BACK, "a tag or comment in it")
        if len(parser.intern or ()) > NAMES:
            raise self.damaged(f"it has more than {NAMES:,} kinds of elements")

    def _refuse_document_type(self, *_: object) -> None:
        raise self.damaged("it declares a document type, which no workbook does")

    def require_at_most(self, size: int, largest: int, what: str) -> None:
        """Raise SyncError (workbook_too_large) where something in it, in bytes, is larger."""
        if size > largest:
            raise self.too_large(what, f"{largest // MB:,} MB")

    def too_large(self, what: str, limit: str) -> SyncError:
        """Return the error of a workbook of which something is larger than is read."""
        return SyncError("workbook_too_large", name=self.name, what=what, limit=limit)

    def row_too_large(self, row: int) -> SyncError:
        """Return the error of a row that holds more than any person writes."""
        limit = f"{LARGEST_ROW // MB} MB"
        return SyncError("cell_too_large", name=self.name, row=row, limit=limit)

    def damaged(self, why: str) -> SyncError:
        """Return the error of a workbook that cannot be read."""
        return SyncError("damaged_workbook", name=self.name, why=why)


def open_package(file: BinaryIO, name: str) -> Package:
    """Open a file; raises SyncError where it is no XLSX: not_a_workbook, damaged_workbook, ..."""
    file.seek(0)
    start = file.read(CHUNK)
    if start.startswith(OLE):
        raise _old_workbook(file, start, name)
    try:
        package = Package(zipfile.ZipFile(_Bounded(file)), name)
    except (*_DAMAGES, ValueError, OSError) as error:
        raise SyncError("damaged_workbook", name=name, why="it is no whole zip file") from error
    for part, what in OTHER_KINDS.items():
        if package.has(part):
            raise SyncError("not_a_workbook", name=name, what=what)
    if not package.has("[Content_Types].xml"):
        raise SyncError("not_a_workbook", name=name, what="a zip archive, but no workbook")
    return package


def new_parser(on_start: OnStart, on_end: OnEnd, on_text: OnText | None) -> expat.XMLParserType:
    """Return a parser that calls these with an element's name, its attributes, and texts.

    Names come without a prefix, if the outermost element has one.
    """
    parser = expat.ParserCreate(intern={})
    parser.buffer_text = True
    parser.CharacterDataHandler = on_text
    skipped = depth = 0  # characters of the prefix; elements that are open

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal skipped, depth
        depth += 1
        if depth == 1:
            skipped = name.find(":") + 1
        elif depth > DEEPEST:
            raise DepthError
        on_start(name[skipped:], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        on_end(name[skipped:])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    return parser


def _old_workbook(file: BinaryIO, start: bytes, name: str) -> SyncError:
    """Tell XLS from an XLSX with a password, which lies in a file of the same old form."""
    start = start.ljust(512, b"\0")  # of a file that was cut off, too
    sector, first = 1 << min(start[30], 12), int.from_bytes(start[48:52], "little")
    file.seek((first + 1) * sector)
    if ENCRYPTED in file.read(CHUNK):  # among the names of its streams
        return SyncError("locked_workbook", name=name)
    return SyncError("not_a_workbook", name=name, what="an old Excel workbook (.xls)")


@dataclass(frozen=True)
class _Bounded:
    """A file of which nothing large is read at once: zipfile reads a zip's directory so."""

    file: BinaryIO

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY:
            raise zipfile.BadZipFile("its directory is too large")
        return self.file.read(size if size >= 0 else DIRECTORY)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def seekable(self) -> bool:
        return True
