"""Cliniko's API: the lists of one account, within its rate limit, with retries."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from types import TracebackType
from typing import Self

import httpx2

from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Secret, Settings
from sync_core.sources import rate_limit, way_out
from sync_core.sources.cliniko import key as cliniko_key
from sync_core.sources.cliniko.answers import (
    TITLES,
    Answer,
    Listing,
    Record,
    listing,
    time_at,
    title,
)
from sync_core.sources.cliniko.quota import quota
from sync_core.sources.kind import OnTraffic
from sync_core.sources.patience import TRIES, sleep_alive, steady
from sync_core.sources.rate_limit import Limiter
from sync_core.sources.retry import OnWait, Retrier, RetryPolicy

PER_PAGE = 100  # as many as Cliniko hands out at once
CONNECT_TIMEOUT = 10.0
MOST_BEHIND = 50 * 365.25 * 86_400  # seconds: a clock that was never set begins in 1970
LARGEST_BODY = 32 * 2**20  # bytes of one page, unpacked
RETRY_POLICY = RetryPolicy(attempts=6)
EVERYTHING = {  # filters that lift what a list leaves out: the archived, the cancelled
    "patients": ("archived_at:*",),
    "individual_appointments": ("archived_at:*", "cancelled_at:*"),
    "appointment_types": ("archived_at:*",),
}


def changed_since(moment: datetime, what: str = "updated") -> str:
    """Return the filter of what was `updated`, or `archived`, or `deleted` since a moment."""
    return f"{what}_at:>={moment:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Batch:
    """Some records of a list, in the order of their ids."""

    records: list[Record]
    last_id: str  # where reading can go on
    total: int  # how many there were from the first of these on, when they were read


@dataclass(frozen=True)
class Survey:
    """How many records a list has, and which of them came last."""

    total: int
    newest: str | None


@dataclass(frozen=True)
class Permission:
    """Whether the key may read a list; `refusal` is a sentence where it may not."""

    path: str
    title: str
    count: int | None = None
    refusal: str | None = None


class Client:
    """Reads one account. Every method that asks Cliniko raises SyncError, and nothing else."""

    def __init__(
        self,
        key: Secret,
        *,
        base_url: str | None,
        limiter: Limiter,
        retry: Retrier,
        user_agent: str = "Sync Desk",
        timeout: float = 30.0,
        on_traffic: OnTraffic = lambda _requests, _bytes, _waited: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        base = httpx2.URL(cliniko_key.base_url(key, base_url))
        self._origin = str(base.copy_with(path="")).rstrip("/")
        self._limiter, self._retry = limiter, retry
        self._timeout, self._clock = timeout, clock
        self._on_traffic = on_traffic
        self.behind = 0.0  # seconds by which the server's clock is behind ours
        self._http = way_out.client(
            [way_out.host_and_port(base)] if base_url else [],  # a setting has named it
            httpx2.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
            {"Accept": "application/json", "User-Agent": user_agent},
        )
        self._http.base_url, self._http.auth = base, (key.value, "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def records(
        self, path: str, *, after: str = "", where: Sequence[str] = (), least: int = 0
    ) -> Iterator[Batch]:
        """Read a list in the order of its ids, from the record after `after` on.

        `where` holds Cliniko's filters, such as "updated_at:>=2026-01-01T00:00:00Z". Pages are
        cut by ids, not by numbers: these drift while records come and go, and skip some. The list
        is known to hold at least so many records; one that becomes shorter is refused.
        """
        last, odd = after, 0
        while True:
            page = self._page(path, last, where, least)
            records = _without_known(page.records, odd)
            if not records:
                return
            if not page.ids:
                raise SyncError("cliniko_unexpected", what=title(path), why="no record has an id")
            _refuse_disorder(path, last, page.ids)
            last, odd = page.ids[-1], _odd_at_the_end(page.records)
            least = page.total - len(page.records)
            yield Batch(records, last, page.total)
            if not least and len(page.records) < PER_PAGE:
                return

    def count(self, path: str, where: Sequence[str] = ()) -> int:
        """Return how many records a list has, with these filters."""
        return self.survey(path, where).total

    def survey(self, path: str, where: Sequence[str] = ()) -> Survey:
        """Return how many records a list has, with these filters, and the highest id."""
        found = self._list(path, where, {"sort": "id:desc", "per_page": "1"})
        return Survey(found.total, found.ids[0] if found.ids else None)

    def check(self) -> list[Permission]:
        """Return for each list whether the key may read it, and how many records it has in all."""
        return [self._check(path, name) for path, name in TITLES.items()]

    def _check(self, path: str, name: str) -> Permission:
        try:
            return Permission(path, name, count=self.count(path, EVERYTHING[path]))
        except SyncError as error:
            if error.code != "cliniko_may_not_read":
                raise
            return Permission(path, name, refusal=error.sentence)

    def _page(self, path: str, last: str, where: Sequence[str], least: int) -> Listing:
        """Return the records after the `last` one; a list that became shorter is asked twice."""
        filters = (f"id:>{last}", *where) if last else where

        def ask() -> Listing:
            page = self._list(path, filters, {"sort": "id", "per_page": str(PER_PAGE)})
            if page.total < least:
                raise SyncError(
                    "cliniko_shrank",
                    what=title(path),
                    expected=f"{least:,}",
                    total=f"{page.total:,}",
                )
            return page

        twice = replace(self._retry.policy, attempts=2)
        return replace(self._retry, policy=twice, only="cliniko_shrank")(ask)

    def _list(self, path: str, where: Sequence[str], options: dict[str, str]) -> Listing:
        params = httpx2.QueryParams([*(("q[]", text) for text in where), *options.items()])
        return self._retry(lambda: listing(self._get(path, params), self._clock))

    def _get(self, path: str, params: httpx2.QueryParams) -> Answer:
        rate_limit.wait_for(self._limiter, self._retry)
        self._on_traffic(1, 0, 0)
        try:
            with self._http.stream("GET", f"/{path}", params=params) as response:
                body = self._whole(response)
        except httpx2.ConnectError as error:
            raise SyncError("cliniko_unreachable", host=self._http.base_url.host) from error
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise SyncError("cliniko_unavailable", why=_why(error)) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(path, self._origin, response.status_code, headers, body)
        self.behind = min(MOST_BEHIND, self._clock() - (time_at(answer) or self._clock()))
        return answer

    def _whole(self, response: httpx2.Response) -> bytes:
        """Return a whole body."""
        body = bytearray()
        for chunk in steady(response.iter_bytes(), self._timeout, _late):
            self._on_traffic(0, len(chunk), 0)
            body += chunk
            if len(body) > LARGEST_BODY:
                why = f"its answer is larger than {LARGEST_BODY >> 20} MB"
                raise SyncError("cliniko_unavailable", why=why)
        return bytes(body)


def open_client(
    organization: str,
    settings: Settings,
    *,
    on_wait: OnWait = lambda _sentence: None,
    on_traffic: OnTraffic = lambda _requests, _bytes, _waited: None,
    retry_policy: RetryPolicy = RETRY_POLICY,
) -> Client:
    """Return a client of an organization's account, by its slug; no request is made yet.

    Raises SyncError: no_cliniko_key, bad_cliniko_key.
    """

    def sleep(seconds: float) -> None:
        sleep_alive(seconds, lambda waited: on_traffic(0, 0, waited))

    key = cliniko_key.find(organization, settings)
    contact = f" ({settings.cliniko_contact})" if settings.cliniko_contact else ""
    return Client(
        key,
        base_url=settings.cliniko_base_url,
        limiter=rate_limit.shared(quota(key)),
        retry=Retrier("Cliniko", retry_policy, on_wait, sleep),
        user_agent=f"Sync Desk{contact}",
        timeout=settings.fetch_timeout / TRIES,
        on_traffic=on_traffic,
    )


def _refuse_disorder(path: str, last: str, ids: Sequence[str]) -> None:
    """Refuse a page whose ids do not rise: reading on after it would skip or repeat records."""
    before = int(last or -1)
    for identifier in ids:
        if int(identifier) <= before:
            raise SyncError("cliniko_disorder", what=title(path), id=identifier)
        before = int(identifier)


def _odd_at_the_end(records: Sequence[Record]) -> int:
    """Count the records without an id at the end of a page: the next page begins with them."""
    return len(list(takewhile(lambda record: not record, reversed(records))))


def _without_known(records: list[Record], odd: int) -> list[Record]:
    """Leave out the records without an id with which a page begins, if they were handed out."""
    known = min(odd, len(list(takewhile(lambda record: not record, records))))
    return records[known:]


def _late() -> Exception:
    return httpx2.ReadTimeout("too slow")


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "it does not answer in time"
    if isinstance(error, httpx2.DecodingError):
        return "its answer is damaged"
    return "its answer was cut off"
