"""A CSV or a workbook at an address: fetched whole, then read like a file."""

import re
import tempfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import httpx2

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Sheet
from sync_core.foundation.errors import SyncError
from sync_core.sources import way_out
from sync_core.sources.files.table_file import Told, is_workbook, open_table
from sync_core.sources.kind import OnBytes, SourceSetting
from sync_core.sources.patience import steady
from sync_core.sources.retry import Retrier, retry_after

LARGEST_BODY = 500 * 2**20  # bytes
UNPACKED = 2**20  # bytes at a time
CONNECT_TIMEOUT = 10.0
HOPS = 5

_HEADERS = {"User-Agent": "SyncDesk", "Accept-Encoding": "gzip"}  # what `_body` unpacks
_GZIP = zlib.MAX_WBITS | 16

SIGN_IN = "accounts.google.com"
EVERYONE = "everyone who has the link"

# Servers send CSV as text/csv, text/x-csv, application/force-download, application/vnd.ms-excel and
# by many more names; the first bytes tell what it really is. Only what is plainly something else is
# refused by its name.
_OTHER_TYPES = re.compile(
    r"(?:image|audio|video|font|multipart)/.*|.*[/+](?:json|xml|pdf|javascript|x-ndjson)"
)
_WEB_PAGES = frozenset({"text/html", "application/xhtml+xml"})


@dataclass(frozen=True)
class PublishedCsvSource:
    """The address that a setting names; nothing is read before the whole body has arrived."""

    setting: SourceSetting
    timeout: float  # seconds without progress, after which it is tried again
    retry: Retrier
    on_bytes: OnBytes = lambda _read, _all: None
    named: Collection[str] = ()  # hosts of our own that may be asked
    largest: int = LARGEST_BODY

    @property
    def name(self) -> str:
        """What a sentence about it begins with; without the path, which may be a secret."""
        return f"The CSV at {self._start.host}"

    @property
    def _start(self) -> httpx2.URL:
        return httpx2.URL(self.setting.location)

    def open(self, entity: Entity) -> Sheet:
        """Fetch the file and read its header. Raises SyncError."""
        timeout = httpx2.Timeout(self.timeout, connect=min(self.timeout, CONNECT_TIMEOUT))
        with way_out.client(self.named, timeout, _HEADERS) as client:
            file, charset = self.retry(lambda: self._fetch(client))
        name = f"The workbook at {self._start.host}" if is_workbook(file) else self.name
        return open_table(
            file,
            entity,
            name=name,
            title=self._start.host,
            told=Told(self.setting.tab, self.setting.locale, self.setting.header_row),
            charset=charset,
        )

    def _fetch(self, client: httpx2.Client) -> tuple[BinaryIO, str | None]:
        try:
            return self._follow(client)
        except way_out.NoSuchServerError as error:
            raise SyncError("no_such_server", name=self.name, why=str(error)) from None
        except (httpx2.TransportError, httpx2.DecodingError, UnicodeError) as error:
            why = _why(error, self.timeout)
            raise SyncError("csv_unavailable", name=self.name, why=why) from error

    def _follow(self, client: httpx2.Client) -> tuple[BinaryIO, str | None]:
        """Return what the server sends, and the charset that it declares."""
        url = self._start
        for _ in range(HOPS):
            with client.stream("GET", url) as response:
                if not response.has_redirect_location:
                    self._refuse_what_is_no_csv(response)
                    return self._store(response), response.charset_encoding
                if response.next_request is None:
                    why = "it is redirected to what is no address"
                    raise SyncError("csv_unavailable", name=self.name, why=why)
                url = response.next_request.url
                self._refuse_to_follow(url)
        raise SyncError("csv_unavailable", name=self.name, why="it is redirected again and again")

    def _refuse_to_follow(self, url: httpx2.URL) -> None:
        if url.host == SIGN_IN:
            raise SyncError("sheet_not_shared", reader=EVERYONE)
        if not may_follow(self._start, url):
            raise SyncError("redirect_refused", name=self.name, host=url.host)

    def _refuse_what_is_no_csv(self, response: httpx2.Response) -> None:
        status = response.status_code
        if status in {408, 429} or status >= httpx2.codes.INTERNAL_SERVER_ERROR:
            after = retry_after(response.headers.get("Retry-After"))
            raise SyncError("csv_outage", name=self.name, status=status, retry_after=after)
        if status in {401, 403}:
            raise self._refused(status)
        if status != httpx2.codes.OK:
            raise SyncError("csv_not_found", name=self.name, status=status)
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type in _WEB_PAGES:
            raise self._web_page()
        if _OTHER_TYPES.fullmatch(media_type):
            raise SyncError("not_csv", name=self.name, what=f"'{media_type}'")

    def _refused(self, status: int) -> SyncError:
        if self._exports_a_sheet:
            return SyncError("sheet_not_shared", reader=EVERYONE)
        return SyncError("csv_refused", name=self.name, status=status)

    def _web_page(self) -> SyncError:
        if self._exports_a_sheet:  # then it is the page that asks to sign in
            return SyncError("sheet_not_shared", reader=EVERYONE)
        return SyncError("html_instead_of_csv", name=self.name)

    @property
    def _exports_a_sheet(self) -> bool:
        asked = {self._start.params.get("format"), self._start.params.get("output")}
        return "/spreadsheets/" in self._start.path and "csv" in asked

    def _store(self, response: httpx2.Response) -> BinaryIO:
        whole = _length(response)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the sheet closes it
        try:
            for chunk in steady(_body(response, self.name), self.timeout, _late):
                file.write(chunk)
                self._refuse_what_is_too_large(file.tell())
                self.on_bytes(file.tell(), whole)
            file.flush()
        except BaseException:
            file.close()
            raise
        return file

    def _refuse_what_is_too_large(self, size: int) -> None:
        if size > self.largest:
            limit = f"{self.largest >> 20} MB"
            raise SyncError("csv_too_large", name=self.name, limit=limit)


def _length(response: httpx2.Response) -> int | None:
    """Return how many bytes will come; None where that is unknown, or they come compressed."""
    said = response.headers.get("Content-Length", "")
    return int(said) if said.isdecimal() and "Content-Encoding" not in response.headers else None


def _body(response: httpx2.Response, name: str) -> Iterator[bytes]:
    """Pass on the body, unpacked in small pieces: a kilobyte may be a gigabyte, packed twice."""
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    if packed in {"", "identity"}:
        return response.iter_raw()
    if packed in {"gzip", "x-gzip"}:
        return _unpacked(response.iter_raw())
    raise SyncError("not_csv", name=name, what=f"packed as '{packed}'")


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for chunk in chunks:
            packed = chunk
            while packed and not unpacker.eof:
                yield unpacker.decompress(packed, UNPACKED)
                packed = unpacker.unconsumed_tail
        if rest := unpacker.flush():
            yield rest
    except zlib.error as error:
        raise httpx2.DecodingError(str(error)) from error
    if not unpacker.eof:
        raise httpx2.DecodingError("the body ends early")


def may_follow(start: httpx2.URL, url: httpx2.URL) -> bool:
    """Return whether a redirect may be followed: to the same server, or to Google's of exports."""
    if url.host == start.host:
        return url.scheme in {"https", start.scheme}
    google = url.host == "docs.google.com" or url.host.endswith(".googleusercontent.com")
    return url.scheme == start.scheme == "https" and google


def _late() -> Exception:
    return httpx2.ReadTimeout("too slow")


def _why(error: Exception, timeout: float) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return f"the server did not answer within {timeout:g} s"
    if isinstance(error, httpx2.ConnectError):
        return "the server cannot be reached"
    return "the answer came cut off or damaged"
