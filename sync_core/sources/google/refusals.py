"""What an answer of Google that is no answer means: a refusal, a spent quota, a passing trouble."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from random import uniform
from time import time
from typing import Any, Self

import requests
import urllib3
from google.auth.exceptions import RefreshError, TransportError
from gspread.exceptions import APIError

from sync_core.foundation.errors import SyncError
from sync_core.sources.retry import retry_after

OUTAGES = frozenset({HTTPStatus.REQUEST_TIMEOUT, *range(500, 600)})
DISABLED = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
QUOTA_SPENT = frozenset(
    "RATE_LIMIT_EXCEEDED RESOURCE_EXHAUSTED usageLimits rateLimitExceeded"
    " userRateLimitExceeded".split()
)
SCOPES_MISSING = frozenset(
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT insufficientScopes insufficientPermissions".split()
)
NOT_SHARED = frozenset({"PERMISSION_DENIED", "insufficientFilePermissions", "forbidden", "global"})

DAMAGED = "it sent a damaged answer"
INCOMPLETE = "its answer lacks what was requested"
TOO_LATE = "it does not answer in time"
LONGEST_MESSAGE = 300  # characters of Google's own words in a sentence
ELSEWHERE = "it sends us on to another address"
NO_SIGN_IN = "it signs nobody in"


@dataclass(frozen=True)
class Refusal:
    """An error of one of Google's APIs."""

    status: int
    message: str
    words: AbstractSet[str]  # Google's own for the reason; none where the body was not Google's
    retry_after: float | None = None

    @classmethod
    def of(cls, error: APIError) -> Self:
        """Read what gspread raises."""
        response = error.response
        named = retry_after(response.headers.get("Retry-After"))
        words = _words(error.error) if error.code != -1 else frozenset()
        return cls(response.status_code, _message(error.error), words, named)

    @classmethod
    def inside(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the error that an answer with the status 200 holds, if it does."""
        error = answer.get("error")
        if not isinstance(error, dict) or type(error.get("code")) is not int:
            return None
        return cls(error["code"], _message(error), _words(error))

    def means(self, spreadsheet: str, account: str) -> SyncError:
        """Return what it means for somebody who wants to read the spreadsheet."""
        if self.words & DISABLED:
            return SyncError("google_api_disabled", email=account)
        if self.status == HTTPStatus.TOO_MANY_REQUESTS or self.words & QUOTA_SPENT:
            return self._busy()
        if self.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return SyncError("sheet_not_found", id=spreadsheet)
        if self.status in OUTAGES or not self.words:
            return SyncError("google_outage", status=self.status, retry_after=self.retry_after)
        if self.status == HTTPStatus.UNAUTHORIZED:
            why = "its token is not accepted"
            return SyncError("google_refused_key", email=account, why=why)
        if self.status == HTTPStatus.FORBIDDEN:
            return self._forbidden(account)
        return self._bad_request(spreadsheet)

    def _busy(self) -> SyncError:
        refilled = 60 - time() % 60 + uniform(0, 2)  # noqa: S311 - jitter
        return SyncError("google_busy", retry_after=self.retry_after, pause=refilled)

    def _forbidden(self, account: str) -> SyncError:
        if self.words & SCOPES_MISSING or "insufficient authentication scopes" in self.message:
            return SyncError("google_scopes_missing", email=account)
        if self.words <= NOT_SHARED:
            return SyncError("sheet_not_shared", reader=account)
        return SyncError("google_refused", why=self.message)

    def _bad_request(self, spreadsheet: str) -> SyncError:
        if "FAILED_PRECONDITION" in self.words:  # an Excel file that only lies in Google Drive
            return SyncError("not_a_google_sheet", id=spreadsheet)
        if "exceeds grid limits" in self.message or "Unable to parse range" in self.message:
            # the tab was as large, and had this name, a moment ago
            return SyncError("source_changed_while_reading", name="The Google Sheet")
        return SyncError("google_refused", why=self.message)


def _message(error: Mapping[str, Any]) -> str:
    return _shown(error.get("message")).rstrip(".")


def _shown(text: object) -> str:
    """Return words from outside as part of a sentence: on one line, and not too long for it."""
    words = "".join(filter(str.isprintable, " ".join(str(text).split())))
    return words if len(words) <= LONGEST_MESSAGE else f"{words[: LONGEST_MESSAGE - 1]}…"


def _words(error: Mapping[str, Any]) -> AbstractSet[str]:
    told = [error.get("details"), error.get("errors")]
    causes = chain(*(causes for causes in told if isinstance(causes, list)))
    words = [error.get("status")]
    words += [c.get(key) for c in causes if isinstance(c, dict) for key in ("reason", "domain")]
    return frozenset(w for w in words if isinstance(w, str) and w not in {"", "googleapis.com"})


def no_answer(error: Exception) -> SyncError:
    """Return what it means that no whole answer came."""
    return SyncError("google_unavailable", why=_why(error))


def _why(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, TransportError) else error  # google-auth's
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError)
    if isinstance(cause, timeouts) or isinstance(error.__cause__, timeouts):
        return TOO_LATE
    if isinstance(cause, requests.TooManyRedirects):
        return ELSEWHERE
    if isinstance(cause, requests.JSONDecodeError | urllib3.exceptions.DecodeError):
        return DAMAGED
    if isinstance(cause, requests.exceptions.ConnectionError) and not _was_reached(cause):
        return "it cannot be reached"
    return "it cut its answer off"


def _was_reached(error: requests.exceptions.ConnectionError) -> bool:
    """Return whether a connection broke that there was."""
    return any(isinstance(one, urllib3.exceptions.ProtocolError) for one in error.args)


def not_signed_in(error: Exception, account: str) -> SyncError:
    """Return what it means that Google's server of tokens gave none."""
    answer = error.args[1] if len(error.args) > 1 else None
    if not isinstance(error, RefreshError) or error.retryable or not isinstance(answer, dict):
        return SyncError("google_unavailable", why=NO_SIGN_IN)  # it is no word of Google's
    return SyncError("google_refused_key", email=account, why=_description(answer))


def _description(answer: Mapping[str, Any]) -> str:
    """Return Google's sentence, never a whole answer."""
    return _shown(answer.get("error_description") or answer.get("error")).rstrip(".")
