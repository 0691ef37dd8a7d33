"""A source is waited for as long as it deserves, by the looks of a process that can hear it."""

import ctypes
import threading
import time

import pytest

from sync_core.engine import read_ahead
from sync_core.engine.read_ahead import Reading
from sync_core.foundation.errors import SyncError


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "CHECK_SECONDS", 0.05)


def freeze(seconds: float) -> None:
    """Let no thread of this process do anything: who sleeps in C keeps Python's lock."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def nothing() -> None:
    pass


def test_a_source_that_says_nothing_is_given_up() -> None:
    answer = threading.Event()
    with Reading(nothing, 0.2) as reading, pytest.raises(SyncError) as caught:
        reading.call(lambda: answer.wait(30))
    answer.set()
    assert caught.value.code == "source_silent"


def test_the_time_in_which_the_process_was_frozen_is_no_silence_of_the_source() -> None:
    def ask() -> str:
        freeze(0.8)
        time.sleep(0.06)  # it is looked after before the answer is there
        return "an answer"

    with Reading(nothing, 0.5) as reading:
        assert reading.call(ask) == "an answer"


def test_a_sign_of_life_begins_the_wait_anew() -> None:
    def ask() -> str:
        for _ in range(5):
            time.sleep(0.1)
            reading.heard()
        return "an answer"

    with Reading(nothing, 0.3) as reading:
        assert reading.call(ask) == "an answer"
