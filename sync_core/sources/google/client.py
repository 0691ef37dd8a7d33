"""Google's Sheets and Drive APIs through gspread: sign-in, requests, patience."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import gspread
import requests
import urllib3
from google.auth.credentials import TokenState
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import Request
from gspread.exceptions import APIError
from gspread.urls import DRIVE_FILES_API_V3_URL

from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources import rate_limit
from sync_core.sources.google import answers
from sync_core.sources.google.answers import Cells, Columns, Spreadsheet
from sync_core.sources.google.bodies import WholeBodies
from sync_core.sources.google.number_formats import Format
from sync_core.sources.google.refusals import DAMAGED, ELSEWHERE, Refusal, no_answer, not_signed_in
from sync_core.sources.google.service_account import credentials
from sync_core.sources.kind import OnTraffic
from sync_core.sources.patience import TRIES
from sync_core.sources.rate_limit import Quota
from sync_core.sources.retry import Retrier

DRIVE_TRIES = 2  # for what it tells can be found out by other means
TAB_FIELDS = "sheetId,title,sheetType,hidden,gridProperties(rowCount,columnCount)"
CELL_FIELDS = "sheets(data(startRow,startColumn,rowData(values({}))))"
FORMAT_FIELDS = CELL_FIELDS.format("effectiveFormat(numberFormat)")
VALUE_FIELDS = CELL_FIELDS.format("effectiveValue")
AS_SEEN = {"majorDimension": "COLUMNS", "valueRenderOption": "FORMATTED_VALUE"}
AS_KEPT = {
    "majorDimension": "COLUMNS",
    "valueRenderOption": "UNFORMATTED_VALUE",
    "dateTimeRenderOption": "SERIAL_NUMBER",
}

T = TypeVar("T")


@dataclass(frozen=True)
class DriveFile:
    """What Google Drive knows of a document."""

    kind: str  # its media type, in lower case
    modified: str  # when it was changed last


def quota(settings: Settings) -> Quota:
    """Return the quota that Google gives an account in its project; all workers share it.

    Raises SyncError: no_service_account, bad_service_account.
    """
    key = credentials(settings)
    account = f"{key.project_id} {key.service_account_email} {settings.google_api_base_url or ''}"
    digest = hashlib.sha256(account.encode()).hexdigest()[:20]
    return Quota(f"google:{digest}", max(1, int(settings.google_reads)))


class GoogleClient(gspread.HTTPClient):
    """Reads one spreadsheet. Every method that asks Google raises SyncError."""

    def __init__(
        self, spreadsheet: str, settings: Settings, retry: Retrier, on_traffic: OnTraffic
    ) -> None:
        # plain sessions: google-auth's own would wait without limit where it renews the token,
        # and ask another of Google's servers for regional limits without our knowledge
        super().__init__(None, session=requests.Session())  # type: ignore[arg-type] # gspread allows None beside a session
        self.spreadsheet = spreadsheet
        self.retry = retry
        self._credentials = credentials(settings)
        self._base = settings.google_api_base_url
        self._on_traffic = on_traffic
        self._tokens = requests.Session()
        for session in (self.session, self._tokens):
            bodies = WholeBodies(
                settings.fetch_timeout / TRIES, lambda size: on_traffic(0, size, 0)
            )
            session.mount("https://", bodies)
            session.mount("http://", bodies)
        self._tokens.max_redirects = 0  # a key's owner names where it goes, nobody else
        self.session.auth = self._sign
        self._limiter = rate_limit.shared(quota(settings))

    @property
    def email(self) -> str:
        """The service account's address: whom a sheet is shared with."""
        return str(self._credentials.service_account_email)

    def metadata(self) -> Spreadsheet:
        """Return what is known of the spreadsheet and its tabs."""
        fields = f"properties(title,locale),sheets(properties({TAB_FIELDS}),merges)"
        return self._read(
            lambda: self.fetch_sheet_metadata(self.spreadsheet, {"fields": fields}),
            answers.spreadsheet,
        )

    def texts(self, cells: Cells) -> Columns:
        """Return a range's columns as people see them, each cut after its last cell."""
        return self._read(
            lambda: self.values_get(self.spreadsheet, cells.a1, {**AS_SEEN}),
            lambda answer: answers.texts(answer, cells),
        )

    def texts_of(self, ranges: Sequence[Cells]) -> list[Columns]:
        """Return the columns of ranges as people see them."""
        a1 = [cells.a1 for cells in ranges]
        return self._read(
            lambda: self.values_batch_get(self.spreadsheet, a1, {**AS_SEEN}),
            lambda answer: answers.batch(answer, ranges),
        )

    def values(self, ranges: Sequence[Cells]) -> list[Columns]:
        """Return the columns of ranges as the JSON values under the cells' formats."""
        a1 = [cells.a1 for cells in ranges]
        return self._read(
            lambda: self.values_batch_get(self.spreadsheet, a1, {**AS_KEPT}),
            lambda answer: answers.batch(answer, ranges),
        )

    def formats(self, columns: Sequence[Cells]) -> list[list[Format]]:
        """Return the number formats of ranges of one column each."""
        asked: dict[str, Any] = {"ranges": [cells.a1 for cells in columns], "fields": FORMAT_FIELDS}
        return self._read(
            lambda: self.spreadsheets_get(self.spreadsheet, asked),
            lambda answer: answers.formats(answer, columns),
        )

    def filled(self, ranges: Sequence[Cells]) -> list[int]:
        """Return how many cells of ranges hold something, as another of Google's methods says."""
        asked: dict[str, Any] = {"ranges": [cells.a1 for cells in ranges], "fields": VALUE_FIELDS}
        return self._read(
            lambda: self.spreadsheets_get(self.spreadsheet, asked),
            lambda answer: answers.filled(answer, ranges),
        )

    def file(self) -> DriveFile | None:
        """Return what Google Drive knows of the document; None where Drive cannot be asked."""
        url = f"{DRIVE_FILES_API_V3_URL}/{self.spreadsheet}"
        fields = {"fields": "mimeType,modifiedTime", "supportsAllDrives": "true"}
        tries = replace(self.retry.policy, attempts=DRIVE_TRIES, outage_attempts=DRIVE_TRIES)
        try:
            answer = replace(self.retry, policy=tries)(
                lambda: self._once(lambda: self.request("get", url, params=fields).json())
            )
            datetime.fromisoformat(answer["modifiedTime"])
            return DriveFile(answer["mimeType"].lower(), answer["modifiedTime"])
        except (SyncError, KeyError, TypeError, ValueError, AttributeError):
            return None

    def _read(self, call: Callable[[], Any], parse: Callable[[Mapping[str, Any]], T]) -> T:
        return self.retry(lambda: parse(self._once(call)))

    def _once(self, call: Callable[[], Any]) -> Mapping[str, Any]:
        try:
            answer = call()
        except APIError as error:
            raise Refusal.of(error).means(self.spreadsheet, self.email) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, TransportError) as error:
            raise no_answer(error) from error
        if not isinstance(answer, dict):
            raise SyncError("google_unavailable", why=DAMAGED)
        if refusal := Refusal.inside(answer):
            raise refusal.means(self.spreadsheet, self.email)
        return answer

    def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - gspread's
        """Ask once, at the base address; with a new token where the present one is refused."""
        url = self._base.rstrip("/") + urlsplit(endpoint).path if self._base else endpoint
        ask = partial(self._ask, method, url, *args, **kwargs)
        response = ask()
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._credentials.token = None
            response = ask()
        if response.is_redirect:
            raise SyncError("google_unavailable", why=ELSEWHERE)
        if response.ok:
            return response
        try:
            raise APIError(response)
        except (KeyError, TypeError):  # an error without the parts that gspread expects
            raise SyncError("google_outage", status=response.status_code) from None

    def _ask(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - gspread's
        if "/v4/" in url:  # Drive has a quota of its own, which nobody uses up
            rate_limit.wait_for(self._limiter, self.retry)
        self._on_traffic(1, 0, 0)
        ask: Callable[..., requests.Response] = partial(self.session.request, method, url)
        return ask(*args, **kwargs, allow_redirects=False)

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._credentials.token_state is not TokenState.FRESH:
            self._sign_in()
        self._credentials.apply(request.headers)  # type: ignore[no-untyped-call] # untyped
        return request

    def _sign_in(self) -> None:
        try:
            self._credentials.refresh(Request(self._tokens))  # type: ignore[no-untyped-call] # untyped
            _must_be_a_token(self._credentials.token)
        except (RefreshError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
            # google-auth raises all these, the last for an answer that is not JSON
            self._credentials.token = None
            raise not_signed_in(error, self.email) from error


def _must_be_a_token(token: object) -> None:
    """Refuse what cannot stand in a header. Raises TypeError, ValueError."""
    if not isinstance(token, str):
        raise TypeError
    if not (token and token.isascii() and token.isprintable()):
        raise ValueError
