"""What Cliniko's answers mean: records and totals, or a sentence about what went wrong."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from random import uniform
from typing import Any
from urllib.parse import urljoin, urlsplit

from sync_core.foundation.errors import SyncError
from sync_core.sources.retry import retry_after, wait_asked_for

TITLES = {
    "patients": "patients",
    "individual_appointments": "appointments",
    "appointment_types": "appointment types",
}
ID = re.compile(r"[0-9]{1,20}")
UNNAMED_WAIT = 60.0  # seconds; the limit is one a minute
LEAST_WAIT = 1.0
LONGEST_MESSAGE = 200

Record = dict[str, Any]


def title(path: str) -> str:
    """Return what sentences call a list: "deleted patients"."""
    kind, _, which = path.partition("/")
    return f"{which} {TITLES.get(kind, kind)}".strip()


@dataclass(frozen=True)
class Answer:
    """One answer over HTTP, read to its end; the names of its headers are in lower case."""

    path: str  # what was asked for: "patients"
    origin: str  # of the server: "https://api.au1.cliniko.com"
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def what(self) -> str:
        """The name of what was asked for, in sentences."""
        return title(self.path)

    @property
    def kind(self) -> str:
        """The name under which its records stand."""
        return self.path.partition("/")[0]

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.origin).netloc


@dataclass(frozen=True)
class Listing:
    """A page of a list."""

    records: list[Record]  # an empty one stands for what is no record, or has no id
    total: int  # of the whole list, with its filters

    @property
    def ids(self) -> list[str]:
        """The ids of its records."""
        return [record["id"] for record in self.records if record]


def listing(answer: Answer, clock: Callable[[], float]) -> Listing:
    """Return a page of a list; `clock` returns seconds since 1970. Raises SyncError."""
    if answer.status != HTTPStatus.OK:
        raise _refusal(answer, clock)
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise SyncError("cliniko_damaged", what=answer.what, why="it is not JSON") from None
    if not isinstance(content, dict):
        raise _unexpected(answer, "it is no object")
    _refuse_foreign_links(answer, content.get("links"))
    found = Listing(_records(answer, content.get(answer.kind)), _total(answer, content))
    _refuse_half_a_page(answer, found)
    return found


def _records(answer: Answer, records: Any) -> list[Record]:  # noqa: ANN401 - JSON
    if not isinstance(records, list):
        raise _unexpected(answer, f"'{answer.kind}' is missing")
    return [_identified(record) for record in records]


def _identified(record: Any) -> Record:  # noqa: ANN401 - JSON
    """Return a record with its id as a text: older answers hold numbers, and none loses a digit.

    Where records are listed that were deleted, only their link tells it.
    """
    if not isinstance(record, dict):
        return {}
    links = record.get("links")
    link = links.get("self") if isinstance(links, dict) else None
    identifier = str(record.get("id", str(link).rpartition("/")[2]))
    return {**record, "id": identifier} if ID.fullmatch(identifier) else {}


def _refuse_half_a_page(answer: Answer, page: Listing) -> None:
    """Refuse a page that holds more than is counted, or nothing of what is counted."""
    held = len(page.records)
    if held > page.total or (page.total and not held):
        total, records = f"{page.total:,}", f"{held:,}"
        raise SyncError("cliniko_incomplete", what=answer.what, total=total, records=records)


def _total(answer: Answer, content: Record) -> int:
    if "total_entries" not in content:
        raise _unexpected(answer, "'total_entries' is missing")
    total = content["total_entries"]
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise _unexpected(answer, "'total_entries' is no number of records")
    return total


def _refuse_foreign_links(answer: Answer, links: Any) -> None:  # noqa: ANN401 - JSON
    """Refuse a page that points to another server: following it would hand over the key."""
    following = links.get("next") if isinstance(links, dict) else None
    if isinstance(following, str) and not _is_there(answer.origin, following):
        raise SyncError("cliniko_elsewhere", host=_host(following))


def _is_there(origin: str, address: str) -> bool:
    """Return whether an address, which may leave out the server, is on this one."""
    try:
        return urljoin(f"{origin}/", address).startswith(f"{origin}/")
    except ValueError:
        return False


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "another place"
    except ValueError:
        return "another place"


def _unexpected(answer: Answer, why: str) -> SyncError:
    return SyncError("cliniko_unexpected", what=answer.what, why=why)


def _refusal(answer: Answer, clock: Callable[[], float]) -> SyncError:
    match answer.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            asked = _until_the_limit_resets(answer, clock)
            return SyncError("cliniko_busy", retry_after=asked, pause=UNNAMED_WAIT)
        case HTTPStatus.UNAUTHORIZED:
            return SyncError("cliniko_refused_key", host=answer.host)
        case HTTPStatus.FORBIDDEN:
            return SyncError("cliniko_may_not_read", what=answer.what)
        case HTTPStatus.NOT_FOUND:
            return SyncError("cliniko_not_found", what=answer.what, host=answer.host)
        case HTTPStatus.SERVICE_UNAVAILABLE if _is_a_web_page(answer):
            named = retry_after(answer.headers.get("retry-after"))
            return SyncError("cliniko_maintenance", retry_after=named)
        case status if status == HTTPStatus.REQUEST_TIMEOUT or status >= 500:  # noqa: PLR2004 - HTTP's own
            named = retry_after(answer.headers.get("retry-after"))
            return SyncError("cliniko_outage", status=status, what=answer.what, retry_after=named)
        case status if 300 <= status < 400:  # noqa: PLR2004 - HTTP's own
            return SyncError("cliniko_elsewhere", host=_host(answer.headers.get("location", "")))
        case _:
            return SyncError("cliniko_refused", what=answer.what, why=_message(answer))


def _is_a_web_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "").lower()


def _message(answer: Answer) -> str:
    """Return Cliniko's own words where they can be shown; their form is not documented."""
    try:
        words = json.loads(answer.body).get("message")
    except (ValueError, AttributeError, RecursionError):
        words = None
    if not isinstance(words, str) or not words.isprintable() or len(words) > LONGEST_MESSAGE:
        return f"it answers {answer.status}"
    return words.rstrip(".")


def _until_the_limit_resets(answer: Answer, clock: Callable[[], float]) -> float | None:
    """Return the seconds to wait, by the server's own clock where it tells it, if it names any."""
    now = time_at(answer) or clock()
    with suppress(KeyError, ValueError):
        reset = float(answer.headers["x-ratelimit-reset"])
        if (wait := wait_asked_for(reset - now)) is not None:
            return max(LEAST_WAIT, wait) + uniform(0, 1)  # noqa: S311 - jitter
    return retry_after(answer.headers.get("retry-after"))


def time_at(answer: Answer) -> float | None:
    """Return the time by the server's clock, in seconds since 1970; None where it does not tell."""
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None
