import pytest

from sync_core.ui.parts import time_left


@pytest.mark.parametrize(
    ("gone", "percent", "usual", "left"),
    [
        (5, 50, 20, 15),  # earlier runs know
        (30, 60, 20, 20),  # they have been exceeded: the bar tells
        (30, 5, None, None),  # too early to tell
        (0, 0, None, None),
    ],
)
def test_the_time_left_comes_from_earlier_runs_then_from_the_bar(
    gone: float, percent: int, usual: float | None, left: float | None
) -> None:
    assert time_left.left(gone, percent, usual) == left
