"""The bodies of Google's answers: they arrive whole, in time and within a size, or not at all."""

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from sync_core.foundation.errors import SyncError
from sync_core.sources.patience import steady

CONNECT_TIMEOUT = 10.0
LARGEST_BODY = 32 * 2**20  # bytes, unpacked; a page of ten columns has about 3 MB
TOO_LARGE = "google_answer_too_large"  # the code of the error: who can asks for less at a time
_DESCRIBES_THE_PACKING = ("Content-Encoding", "Content-Length", "Transfer-Encoding")


class WholeBodies(HTTPAdapter):
    """Reads every body at once. Raises SyncError for one that is too large, else requests' own."""

    def __init__(self, seconds: float, on_bytes: Callable[[int], None]) -> None:
        super().__init__()
        self._seconds = seconds  # without a sign of life
        self._on_bytes = on_bytes

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002 - requests' own signature
        timeout: object = None,  # noqa: ARG002 - ours holds for all that is asked
        verify: bool | str = True,  # noqa: FBT001, FBT002 - requests' own signature
        cert: Any = None,  # noqa: ANN401 - requests' own signature
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Ask, and wait for the whole answer."""
        limits = (min(CONNECT_TIMEOUT, self._seconds), self._seconds)
        response = super().send(request, True, limits, verify, cert, proxies)  # noqa: FBT003 - streams
        response.raw = self._whole(response.raw)
        return response

    def _whole(self, raw: urllib3.BaseHTTPResponse) -> urllib3.HTTPResponse:
        body = BytesIO()
        try:
            for chunk in steady(_unpacked(raw), self._seconds, requests.Timeout):
                self._on_bytes(len(chunk))
                body.write(chunk)
                _refuse_what_is_too_large(body)
        except BaseException:
            raw.close()
            raise
        return _read_already(raw, body)


def _unpacked(raw: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    while chunk := raw.read1(65_536, decode_content=True):
        yield chunk


def _refuse_what_is_too_large(body: BytesIO) -> None:
    if body.tell() > LARGEST_BODY:
        raise SyncError("google_answer_too_large", limit=f"{LARGEST_BODY >> 20} MB")


def _read_already(raw: urllib3.BaseHTTPResponse, body: BytesIO) -> urllib3.HTTPResponse:
    headers = raw.headers.copy()
    for name in _DESCRIBES_THE_PACKING:
        headers.discard(name)
    body.seek(0)
    return urllib3.HTTPResponse(body, headers=headers, status=raw.status, preload_content=False)
