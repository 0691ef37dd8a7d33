"""What the log tells of an outage of Redis: that it began, that it is over, and nothing between."""

import logging
from collections.abc import Callable

import pytest
from redis import BusyLoadingError, OutOfMemoryError, RedisError, ResponseError

from sync_core.execution import redis_outage
from sync_core.execution.redis_outage import Outage

Told = Callable[[], list[str]]
REFUSED = OutOfMemoryError("command not allowed")


class Clock:
    """A clock that stands still until a test moves it."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(redis_outage, "time", clock)
    return clock


@pytest.fixture
def outage(clock: Clock) -> Outage:
    assert clock
    return Outage(logging.getLogger("of.an.outage"))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    def read() -> list[str]:
        words = ("answers with an error", "does not answer", "does its work again")
        return [word for line in caplog.messages for word in words if word in line]

    return read


def test_an_outage_is_told_once_and_once_that_it_is_over(
    outage: Outage, clock: Clock, told: Told
) -> None:
    for _ in range(1000):
        outage.goes_on(REFUSED)
        clock.now += 60
    outage.works()
    outage.works()
    assert told() == ["answers with an error", "does its work again"]


def test_a_redis_that_does_one_command_and_not_another_has_one_outage(
    outage: Outage, clock: Clock, told: Told
) -> None:
    for _ in range(1000):
        outage.goes_on(ResponseError("WRONGTYPE"))
        outage.works()
        clock.now += 5
        outage.works()
    assert told() == ["answers with an error"]
    assert outage.lasts
    clock.now += redis_outage.CALM_SECONDS
    outage.works()
    assert told()[1:] == ["does its work again"]
    assert not outage.lasts


def test_an_outage_whose_end_nobody_saw_does_not_hide_the_next_one(
    outage: Outage, clock: Clock, told: Told
) -> None:
    outage.goes_on(REFUSED)
    outage.works()
    clock.now += 3600
    outage.goes_on(BusyLoadingError("LOADING"))
    assert told() == ["answers with an error", "answers with an error"]


def test_what_rq_writes_about_errors_of_redis_alone_is_left_out(
    outage: Outage, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    of_rq = logging.getLogger("of.rq")
    of_rq.addFilter(outage)

    def write(error: Exception) -> None:
        try:
            raise error
        except (RedisError, ValueError):
            of_rq.exception("failed to persist failure of job %s", "run-1")

    for _ in range(3):
        write(REFUSED)
    assert told() == ["answers with an error"]
    assert "persist" not in caplog.text
    write(ValueError("of RQ"))
    assert "persist" in caplog.text
