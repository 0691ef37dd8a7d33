"""Google's Sheets and Drive APIs through gspread: sign-in, requests, what refusals mean."""

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from http import HTTPStatus
from io import BytesIO
from random import uniform
from time import monotonic, time
from typing import Any
from urllib.parse import urlsplit

import gspread
import requests
import urllib3
from google.auth.credentials import TokenState
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from gspread.auth import READONLY_SCOPES
from gspread.exceptions import APIError

from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources.retry import Retrier, retry_after

CONNECT_TIMEOUT = 10.0
TAB_FIELDS = "sheetId,title,sheetType,gridProperties(rowCount,columnCount)"

AS_SEEN = {"majorDimension": "COLUMNS", "valueRenderOption": "FORMATTED_VALUE"}
AS_KEPT = {
    "majorDimension": "COLUMNS",
    "valueRenderOption": "UNFORMATTED_VALUE",
    "dateTimeRenderOption": "SERIAL_NUMBER",
}

PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, *range(500, 600)})
DISABLED = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
QUOTA_SPENT = frozenset({"RATE_LIMIT_EXCEEDED", "usageLimits"})

Columns = list[list[Any]]


def credentials(settings: Settings) -> Credentials:
    """Load the service account's key. Raises SyncError, whose sentence never holds the key."""
    text = _key(settings)
    try:
        info = json.loads(text)
    except ValueError:
        raise SyncError("bad_service_account", why="it is not JSON") from None
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise SyncError("bad_service_account", why="it is not the key of a service account")
    try:
        return Credentials.from_service_account_info(info, scopes=READONLY_SCOPES)  # type: ignore[no-any-return,no-untyped-call] # untyped
    except (GoogleAuthError, ValueError, TypeError, AttributeError) as error:
        missing = {"client_email", "private_key", "token_uri"} - info.keys()
        why = f"it lacks {', '.join(sorted(missing))}" if missing else "its private key is damaged"
        raise SyncError("bad_service_account", why=why) from error


def _key(settings: Settings) -> str:
    if path := settings.google_service_account_file:
        try:
            return path.read_text()
        except OSError as error:
            why = f"the file {path} cannot be read ({error.strerror})"
            raise SyncError("bad_service_account", why=why) from error
        except UnicodeDecodeError:
            raise SyncError("bad_service_account", why=f"the file {path} is not text") from None
    if settings.google_service_account_json:
        return settings.google_service_account_json.value
    raise SyncError("no_service_account")


class GoogleClient(gspread.HTTPClient):
    """Reads one spreadsheet. Every method that asks Google raises SyncError, and nothing else."""

    def __init__(self, spreadsheet: str, settings: Settings, retry: Retrier) -> None:
        # a plain session: google-auth's own would wait without limit where it renews the token,
        # and ask another of Google's servers for regional limits without our knowledge
        super().__init__(None, session=requests.Session())  # type: ignore[arg-type] # gspread allows None beside a session
        self.spreadsheet = spreadsheet
        self.credentials = credentials(settings)
        self.base = settings.google_api_base_url
        self.seconds = settings.fetch_timeout
        self.retry = retry
        self.set_timeout((min(CONNECT_TIMEOUT, self.seconds), self.seconds))
        self.session.auth = self._sign

    @property
    def email(self) -> str:
        """The service account's address: whom a sheet is shared with."""
        return str(self.credentials.service_account_email)

    def metadata(self) -> Mapping[str, Any]:
        """Return the spreadsheet's title and locale, and its tabs' titles, gids and grids."""
        fields = f"properties(title,locale),sheets(properties({TAB_FIELDS}))"
        return self._read(
            lambda: self.fetch_sheet_metadata(self.spreadsheet, {"fields": fields}),
            {"properties", "sheets"},
        )

    def texts(self, cells: str) -> Columns:
        """Return a range's columns as people see them, each cut after its last cell."""
        answer = self._read(lambda: self.values_get(self.spreadsheet, cells, {**AS_SEEN}))
        return list(answer.get("values", []))

    def values(self, columns: Sequence[str]) -> Columns:
        """Return the JSON values under the formats of these ranges of one column each."""
        answer = self._read(
            lambda: self.values_batch_get(self.spreadsheet, list(columns), {**AS_KEPT}),
            {"valueRanges"},
        )
        return [(found.get("values") or [[]])[0] for found in answer["valueRanges"]]

    def modified(self) -> str | None:
        """Return when the sheet was changed last; None where Drive does not answer."""
        try:
            answer = self._once(lambda: self.get_file_drive_metadata(self.spreadsheet))
        except SyncError:
            return None
        return answer.get("modifiedTime")

    def _read(
        self, call: Callable[[], Any], parts: AbstractSet[str] = frozenset()
    ) -> dict[str, Any]:
        return self.retry(lambda: self._once(call, parts))

    def _once(
        self, call: Callable[[], Any], parts: AbstractSet[str] = frozenset()
    ) -> dict[str, Any]:
        try:
            answer = call()
        except APIError as error:
            raise self._refusal(error) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, TransportError) as error:
            raise SyncError("google_unavailable", why=_why(error)) from error
        if not isinstance(answer, dict) or not parts <= answer.keys():
            raise SyncError("google_unavailable", why="its answer is damaged")
        return answer

    def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - gspread's
        """Ask once, at the base address, within the time limit."""
        until = monotonic() + self.seconds
        url = self.base.rstrip("/") + urlsplit(endpoint).path if self.base else endpoint
        limits: dict[str, Any] = {"timeout": self.timeout, "stream": True}
        ask: Callable[..., requests.Response] = partial(self.session.request, method, url)
        response = ask(*args, **kwargs, **limits, allow_redirects=False)
        response.raw = _whole(response.raw, until)
        _ = response.content  # decoded now: within APIError a damaged body would crash
        if response.ok:
            return response
        try:
            raise APIError(response)
        except (KeyError, TypeError):  # an error without the parts that gspread expects
            raise _answers(response) from None

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.credentials.token_state is not TokenState.FRESH:
            self._sign_in()
        self.credentials.apply(request.headers)  # type: ignore[no-untyped-call] # untyped
        return request

    def _sign_in(self) -> None:
        try:
            self.credentials.refresh(partial(Request(), timeout=self.timeout))  # type: ignore[no-untyped-call] # untyped
        except RefreshError as error:
            if error.retryable:
                raise SyncError("google_unavailable", why="it signs nobody in") from error
            why = _description(error)
            raise SyncError("google_refused_key", email=self.email, why=why) from error
        except (TypeError, ValueError, AttributeError) as error:
            # google-auth raises these for an answer that is not JSON
            raise SyncError("google_unavailable", why="it signs nobody in") from error

    def _refusal(self, error: APIError) -> SyncError:
        status, reasons = error.response.status_code, _reasons(error)
        if reasons & DISABLED:
            return SyncError("google_api_disabled", email=self.email)
        if status == HTTPStatus.TOO_MANY_REQUESTS or reasons & QUOTA_SPENT:
            return SyncError("google_busy", retry_after=_until_the_quota_refills(error.response))
        if status == HTTPStatus.NOT_FOUND:
            return SyncError("sheet_not_found", id=self.spreadsheet)
        if status in PASSING or not reasons:
            return _answers(error.response)
        if status == HTTPStatus.UNAUTHORIZED:
            why = "its token is not accepted"
            return SyncError("google_refused_key", email=self.email, why=why)
        if status == HTTPStatus.FORBIDDEN:
            return SyncError("sheet_not_shared", reader=self.email)
        return self._bad_request(str(error.error.get("message")), reasons)

    def _bad_request(self, message: str, reasons: AbstractSet[str]) -> SyncError:
        if "FAILED_PRECONDITION" in reasons:  # an Excel file that only lies in Google Drive
            return SyncError("not_a_google_sheet", id=self.spreadsheet)
        if "exceeds grid limits" in message or "Unable to parse range" in message:
            # the tab was as large, and had this name, a moment ago
            return SyncError("source_changed_while_reading", name="The Google Sheet")
        return SyncError("google_refused", why=message.rstrip("."))


def _whole(raw: urllib3.BaseHTTPResponse, until: float) -> urllib3.HTTPResponse:
    """Return a body, still encoded; requests limits only the time between two bytes."""
    body = BytesIO()
    while chunk := raw.read1(65_536, decode_content=False):
        body.write(chunk)
        if monotonic() > until:
            raw.close()
            raise requests.Timeout
    body.seek(0)
    return urllib3.HTTPResponse(body, headers=raw.headers, status=raw.status, preload_content=False)


def _reasons(error: APIError) -> AbstractSet[str]:
    """Collect Google's own words for a refusal; none where the body was not Google's JSON."""
    if error.code == -1:
        return frozenset()
    causes = [*error.error.get("details", []), *error.error.get("errors", [])]
    words = [error.error.get("status")]
    words += [cause.get(key) for cause in causes for key in ("reason", "domain")]
    return frozenset(word for word in words if word)


def _until_the_quota_refills(response: requests.Response) -> float:
    named = retry_after(response.headers.get("Retry-After"))
    return 60 - time() % 60 + uniform(0, 2) if named is None else named  # noqa: S311 - jitter


def _answers(response: requests.Response) -> SyncError:
    return SyncError("google_unavailable", why=f"it answers {response.status_code}")


def _why(error: Exception) -> str:
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError)
    if isinstance(error, timeouts) or isinstance(error.__cause__, timeouts):
        return "it does not answer in time"
    if isinstance(error, requests.JSONDecodeError | requests.exceptions.ContentDecodingError):
        return "its answer is damaged"
    if isinstance(error, requests.exceptions.ConnectionError | TransportError):
        return "it cannot be reached"
    return "its answer was cut off"


def _description(error: RefreshError) -> str:
    """Return Google's sentence out of google-auth's error, never a whole answer."""
    answer = error.args[1] if len(error.args) > 1 else None
    if not isinstance(answer, dict):
        return "it does not accept it"
    return str(answer.get("error_description") or answer.get("error")).rstrip(".")
