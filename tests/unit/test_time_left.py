from datetime import UTC, datetime

import pytest

from sync_core.catalogue import resources
from sync_core.catalogue.phases import SHEETS
from sync_core.runs.progress import Progress
from sync_core.ui.parts import time_left

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
USUAL = {"downloading": 60.0, "processing": 4.0, "saving": 6.0}


@pytest.mark.parametrize(
    ("phase", "percent", "gone", "usual", "left"),
    [
        ("downloading", 0, 20, USUAL, 40 + 4 + 6),  # too early for its own pace
        ("downloading", 54, 90, USUAL, 10 + 4 + 6),  # slow today, which says nothing of the saving
        ("processing", 70, 1, USUAL, 1 + 6),
        ("saving", 98, 9, {}, 1),  # the last phase shows by itself
        ("downloading", 54, 90, {}, None),  # nobody knows how long the saving takes
        ("downloading", 3, 500, USUAL, 0 + 4 + 6),
        ("", 0, 0, USUAL, None),
    ],
)
def test_the_time_left_is_that_of_each_phase(
    phase: str, percent: int, gone: float, usual: dict[str, float], left: float | None
) -> None:
    now = Progress(phase=phase, percent=percent, since=NOW.timestamp() - gone)
    told = time_left.left(now, SHEETS, usual, NOW)
    assert told == (None if left is None else pytest.approx(left))


def test_phases_that_are_read_one_after_the_other_share_the_time_of_reading() -> None:
    steps = resources.CATALOGUE["patients"].steps
    now = Progress(phase=steps.first.name, percent=0, since=NOW.timestamp())
    assert time_left.left(now, steps, USUAL, NOW) == pytest.approx(70)
