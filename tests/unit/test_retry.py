"""Retries: how often, how long, and what is reported."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sync_core.foundation.errors import SyncError
from sync_core.sources.retry import Retrier, RetryPolicy, retry_after
from tests.support.sources import refusal

QUICK = RetryPolicy(attempts=3, first_wait=0.01, longest_wait=0.03, unreported=0)


class Server:
    """Raises these errors one after the other, then answers."""

    def __init__(self, *errors: SyncError) -> None:
        self.errors = list(errors)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "an answer"


def down() -> SyncError:
    return SyncError("google_unavailable", why="it does not answer in time")


def test_what_may_pass_is_tried_again_and_people_are_told() -> None:
    told: list[str] = []
    server = Server(SyncError("google_busy", retry_after=0.02), down())
    assert Retrier("Google", QUICK, told.append)(server) == "an answer"
    assert told == [
        "Google asks us to wait 0 s",
        "Google Sheets could not be read: it does not answer in time. Trying again in 0 s",
    ]


def test_who_asks_for_more_than_is_granted_is_quoted_with_it() -> None:
    told: list[str] = []
    server = Server(SyncError("google_busy", retry_after=900.0))
    assert Retrier("Google", QUICK, told.append)(server) == "an answer"
    assert told == ["Google asks us to wait 900 s. Trying again in 0 s"]


def test_short_waits_are_not_worth_telling() -> None:
    told: list[str] = []
    policy = RetryPolicy(first_wait=0.01)
    assert Retrier("Google", policy, told.append)(Server(down())) == "an answer"
    assert told == []


def test_what_will_not_pass_is_not_tried_again() -> None:
    server = Server(SyncError("sheet_not_found", id="1"))
    assert refusal(lambda: Retrier("Google", QUICK, print)(server)).code == "sheet_not_found"
    assert server.asked == 1


def test_an_error_of_our_own_is_not_tried_again() -> None:
    asked = []

    def attempt() -> None:
        asked.append(1)
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        Retrier("Google", QUICK, print)(attempt)
    assert len(asked) == 1


def test_attempts_are_bounded() -> None:
    server = Server(*[down() for _ in range(9)])
    assert refusal(lambda: Retrier("Google", QUICK, print)(server)).code == "google_unavailable"
    assert server.asked == 3


def test_an_outage_is_waited_out_for_longer_than_other_trouble() -> None:
    policy = replace(QUICK, outage_attempts=6)
    outage = Server(*[SyncError("google_outage", status=503) for _ in range(9)])
    assert refusal(lambda: Retrier("Google", policy, print)(outage)).code == "google_outage"
    assert outage.asked == 6


def test_the_usual_patience_with_an_outage_is_as_long_as_with_a_spent_quota() -> None:
    slept: list[float] = []
    outage = Server(*[SyncError("google_outage", status=503) for _ in range(99)])
    refusal(lambda: Retrier("Google", RetryPolicy(), print, slept.append)(outage))
    assert 200 <= sum(slept) <= 330


def test_the_time_is_bounded_even_if_the_server_asks_for_more() -> None:
    policy = RetryPolicy(outage_attempts=99, longest_wait=0.03, deadline=0.1)
    server = Server(*[SyncError("google_busy", retry_after=3600) for _ in range(99)])
    assert refusal(lambda: Retrier("Google", policy, print)(server)).code == "google_busy"
    assert 1 < server.asked <= 4


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("12", 12), ("0.5", 0.5), ("-3", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_a_server_names_its_wait_in_seconds_or_by_a_date(header: str, seconds: float) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize(
    "header", ["nan", "inf", "1e308", "86401", "soon", "Wed, 21 Oct 2999 07:28:00 GMT"]
)
def test_what_no_server_can_mean_is_no_wait(header: str) -> None:
    assert retry_after(header) is None


def test_a_date_to_come_is_a_wait() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    assert 55 < (retry_after(header) or 0) <= 60


@pytest.mark.parametrize("header", [None, "", "soon", "21 Foo 2015"])
def test_a_header_that_names_no_wait_is_left_out(header: str | None) -> None:
    assert retry_after(header) is None
