import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go
import pytest

from sync_core.analytics.over_time import Ended
from sync_core.analytics.reasons import Reason
from sync_core.runs.filters import Filter
from sync_core.ui.analytics import (
    behind,
    drawing,
    failing_resources,
    failures_tab,
    numbers,
    panel,
    period,
    results_tab,
    sparkline,
    table,
)
from sync_core.ui.analytics.cards import Card
from sync_core.ui.analytics.numbers import percent
from sync_core.ui.analytics.period import Asked

PERTH, BERLIN = ZoneInfo("Australia/Perth"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 1, 30, 20, tzinfo=UTC)  # 9:30 in Perth


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (None, "–"),  # noqa: RUF001
        (0, "0%"),
        (0.0001, "0.1%"),
        (1 / 3, "33.3%"),
        (2 / 3, "66.7%"),
        (0.99999, "99.9%"),
        (1, "100%"),
    ],
)
def test_a_share_is_all_or_nothing_only_where_it_is(part: float | None, told: str) -> None:
    assert numbers.percent(part) == told


def test_a_period_of_days_begins_at_midnight_where_the_visitor_is() -> None:
    since, until, words = period.span_of("7 days", (), PERTH, NOW)
    assert since == datetime(2026, 11, 19, 16, tzinfo=UTC)
    assert until == datetime(2026, 11, 26, 1, 31, tzinfo=UTC)
    assert words == "7 days"


def test_a_period_of_hours_ends_with_this_minute() -> None:
    since, until, _ = period.span_of("24 hours", (), PERTH, NOW)
    assert until - since == timedelta(hours=24)


def test_an_own_period_ends_after_its_last_day_and_never_in_the_future() -> None:
    days = (date(2026, 10, 25), date(2026, 10, 25))
    since, until, words = period.span_of("Custom", days, BERLIN, NOW)
    assert until - since == timedelta(hours=25)  # the clocks went back
    assert words == "1 day"
    _, until, _ = period.span_of("Custom", (date(2026, 11, 1), date(2026, 11, 26)), PERTH, NOW)
    assert until == datetime(2026, 11, 26, 1, 31, tzinfo=UTC)


def asked(since: datetime, until: datetime, zone: ZoneInfo) -> Asked:
    return Asked(Filter(organizations=(1,), since=since, until=until), zone, "")


def test_charts_are_drawn_along_every_day_of_the_period() -> None:
    since = datetime(2026, 10, 23, 22, tzinfo=UTC)
    times = asked(since, since + timedelta(days=4), BERLIN).time_axis()
    assert [at.isoformat() for at in times] == [
        f"2026-10-{day}T00:00:00" for day in (24, 25, 26, 27)
    ]


def test_short_periods_are_drawn_along_their_hours() -> None:
    some = asked(NOW - timedelta(hours=24), NOW, PERTH)
    assert some.unit == "hour"
    assert len(some.time_axis()) == 25
    assert some.time_axis()[0] == datetime(2026, 11, 25, 9)  # noqa: DTZ001 - as the clocks show it


def test_a_trailing_rate_has_gaps_where_nothing_was_judged() -> None:
    times = [datetime(2026, 11, day) for day in range(1, 8)]  # noqa: DTZ001 - as the clocks show it
    judged, completed = {times[0]: 2, times[1]: 2, times[6]: 1}, {times[0]: 2, times[6]: 1}
    rates = results_tab.trailing(times, judged, completed, 2)
    assert rates == {times[1]: 0.5, times[2]: 0.0, times[6]: 1.0}


def test_a_table_becomes_cells_with_iso_times_and_nothing_for_what_is_not_there() -> None:
    at = datetime(2026, 11, 26, 9, 30, tzinfo=PERTH)
    some = pd.DataFrame({"When": [at], "Name": ["=1+1"], "Runs": [-3], "p95 (s)": [float("nan")]})
    assert panel.cells(some) == (
        ["When (UTC)", "Name", "Runs", "p95 (s)"],
        [["2026-11-26T01:30:00Z", "=1+1", -3, None]],
    )


@pytest.mark.parametrize("counts", [[17, 8, 1], [1], [12_345, 40]])
def test_both_axes_of_the_reasons_have_names_and_room_for_all_they_show(counts: list[int]) -> None:
    found = [Reason(code=f"code_{count}", count=count, runs=1) for count in counts]
    chart = failures_tab.pareto("Rows", found)
    below, above = chart.layout.xaxis, chart.layout.xaxis2
    assert "Failed rows" in below.title.text
    assert "of all" in above.title.text
    assert above.ticktext[-1] == "100%"
    bars, line = chart.data
    assert below.range[1] >= 1.1 * max(bars.x)
    assert above.range[1] >= 1.1 * max(line.x)
    assert bars.textposition == "outside"


def test_a_table_on_the_screen_is_in_words_the_newest_first() -> None:
    days = [datetime(2026, 10, day, tzinfo=BERLIN) for day in (24, 25, 26)]  # clocks change
    shown = told(
        pd.DataFrame(
            {
                "When": days,
                "Run": [1001, 1002, 1003],
                "Rows": [1000, 2, 3],
                "Took (s)": [0.4, 200, float("nan")],
                "Success": [1, 0.5, 0.9999],
            }
        ),
        BERLIN,
    )
    assert shown == {
        "When": ["26 Oct 2026", "25 Oct 2026", "24 Oct 2026"],
        "Run": ["1003", "1002", "1001"],
        "Rows": ["3", "2", "1,000"],
        "Took": ["–", "3 min 20 s", "0.4 s"],  # noqa: RUF001 - the dash of what is not there
        "Success": ["99.9%", "50%", "100%"],
    }


def test_a_table_by_hour_tells_the_hours_of_the_zone() -> None:
    hours = [datetime(2026, 11, 26, hour, tzinfo=UTC) for hour in (0, 16)]
    assert told(pd.DataFrame({"When": hours}), PERTH) == {
        "When": ["27 Nov 2026, 00:00", "26 Nov 2026, 08:00"]
    }


def test_columns_of_nothing_but_zeros_are_no_part_of_a_table_on_the_screen() -> None:
    none = pd.DataFrame({"Name": ["", ""], "Synced": [1, 0], "Failed": [0, 0], "p95 (s)": [0.0, 0]})
    assert table.empty_columns(none) == ["Failed", "p95 (s)"]


def told(found: pd.DataFrame, zone: ZoneInfo) -> dict[str, list[str]]:
    """Return what each column says."""
    lines = table.in_words(found, zone).hide(axis="index").to_string(delimiter="|").splitlines()
    titles, *rows = (line.split("|") for line in lines)
    return dict(zip(titles, map(list, zip(*rows, strict=True)), strict=True))


def test_presets_are_this_day_and_the_month_before_where_the_visitor_is() -> None:
    since, until, words = period.span_of("Today", (), PERTH, NOW)
    assert (since, until) == (
        datetime(2026, 11, 25, 16, tzinfo=UTC),
        datetime(2026, 11, 26, 1, 31, tzinfo=UTC),
    )
    assert words == "day"
    since, until, words = period.span_of("Last month", (), BERLIN, NOW)
    assert since == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert until == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert words == "31 days"


def test_names_at_the_ends_of_lines_keep_apart_and_below_the_top() -> None:
    assert drawing.spread([0, 50, 100], 8, 104) == [0, 50, 100]
    heights = drawing.spread([99, 100, 100, 100], 8, 104)
    assert all(high - low >= 8 for low, high in itertools.pairwise(heights))
    assert max(heights) <= 104
    assert drawing.spread([], 8, 104) == []


def test_an_axis_turns_logarithmic_only_where_one_value_would_hide_the_others() -> None:
    assert drawing.is_uneven([1, 2, 3, 2, 400])
    assert not drawing.is_uneven([1, 2, 3, 2, 9])
    assert not drawing.is_uneven([0, 0])
    assert not drawing.is_uneven([])


def test_a_bar_that_would_press_all_others_to_the_ground_is_cut_off_and_says_how_high_it_is() -> (
    None
):
    days = [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 6)]
    figure = go.Figure()
    assert drawing.cut_off(figure, dict(zip(days, [2, 4, 3, 2, 1_400], strict=True)))
    assert figure.layout.yaxis.range == (0, 5)
    assert [note.text for note in figure.layout.annotations] == ["1,400 ↑"]
    even = go.Figure()
    assert not drawing.cut_off(even, dict(zip(days, [2, 4, 3, 2, 9], strict=True)))
    assert even.layout.yaxis.range is None


def test_behind_a_bar_are_the_runs_of_its_day_within_the_period() -> None:
    since = datetime(2026, 11, 25, 20, tzinfo=UTC)  # 4:00 of the 26th in Perth
    some = asked(since, since + timedelta(days=3), PERTH)
    first, second = some.time_axis()[:2]
    assert "since=2026-11-25T20%3A00%3A00%2B00%3A00" in behind.address(some, first)
    found = behind.address(some, second, ("locations",), ("failed",))
    assert "since=2026-11-26T16%3A00" in found
    assert "until=2026-11-27T16%3A00" in found
    assert "resource=locations" in found
    assert "status=failed" in found


def test_a_sparkline_goes_from_edge_to_edge_and_lies_flat_where_nothing_changed() -> None:
    assert sparkline.corners([0, 5, 10]) == (
        "0% 100%, 0.0% 88.0%, 50.0% 44.0%, 100.0% 0.0%, 100% 100%"
    )
    assert sparkline.corners([3, 3]) == "0% 100%, 0.0% 88.0%, 100.0% 88.0%, 100% 100%"


def test_a_sparkline_of_counts_begins_at_zero() -> None:
    assert sparkline.corners([5, 10], from_zero=True) == (
        "0% 100%, 0.0% 48.0%, 100.0% 0.0%, 100% 100%"
    )
    assert sparkline.corners([0, 0], from_zero=True).count(" 96.0%") == 2


def card(now: float, before: float | None, samples: tuple[int, int], noun: str = "run") -> Card:
    return Card("k", "Label", "", now, before, samples, percent, "normal", "Runs", noun=noun)


def test_a_figure_is_compared_only_with_one_of_enough_runs() -> None:
    few = card(0.5, 0.25, (40, 3))
    assert (few.change, few.compared) == (None, "3 runs before: too few to compare")
    assert card(0.5, 0.2, (40, 1), "failed run").compared.startswith("1 failed run before")
    enough = card(0.5, 0.25, (40, 20))
    assert (enough.change, enough.compared) == ("+25.0 points", "vs before")
    assert card(0.5, None, (40, 0)).compared == "none before"


@pytest.mark.parametrize(
    ("now", "before", "told", "change"),
    [
        (1.9, 1.91, numbers.seconds, "0"),
        (1.9, 3.1, numbers.seconds, "-1.2 s"),
        (0.5, 0.5004, percent, "0"),
        (0.5, 0.502, percent, "-0.2 points"),
    ],
)
def test_a_change_that_is_less_than_can_be_told_is_none(
    now: float, before: float, told: Callable[[float | None], str], change: str
) -> None:
    assert replace(card(now, before, (40, 40)), in_words=told).change == change


def test_a_key_figure_says_between_which_values_its_shape_goes() -> None:
    assert (
        card(0.5, 0.2, (40, 40)).extent([0.5, 0.875, 1], "day") == "By day, between 50% and 100%."
    )
    assert card(0.5, 0.2, (40, 40)).extent([0.5], "day") == ""


def ended(resource: str, status: str, runs: int) -> Ended:
    return Ended(datetime(2026, 11, 24, tzinfo=UTC), resource, "sync", status, runs)


def test_the_resource_of_which_the_largest_part_failed_comes_first_and_says_of_how_many() -> None:
    found = failing_resources.worst_first(
        [
            ended("therapists", "completed", 90),
            ended("therapists", "failed", 6),
            ended("therapists", "timed_out", 4),
            ended("admins", "partial", 6),
            ended("admins", "failed", 2),
            ended("locations", "completed", 5),
            ended("services", "cancelled", 5),
        ]
    )
    assert [(row.resource, row.told) for row in found] == [
        ("admins", "25%, 2 of 8"),
        ("therapists", "10%, 10 of 100"),
        ("locations", "0%, 0 of 5"),
    ]
    (bars,) = failing_resources.draw(found).data
    assert list(bars.x) == [25, 10, 0]
    assert list(bars.customdata) == ["admins", "therapists", ""]  # nothing to list of the last
    assert failing_resources.draw(found[2:]).layout.xaxis.range[1] > 0
