from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from sync_core.runs.filters import Filter
from sync_core.ui.analytics import numbers, panel, period, results_tab
from sync_core.ui.analytics.period import Asked

PERTH, BERLIN = ZoneInfo("Australia/Perth"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 1, 30, 20, tzinfo=UTC)  # 9:30 in Perth


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (None, "–"),  # noqa: RUF001
        (0, "0 %"),
        (0.0001, "0.1 %"),
        (1 / 3, "33.3 %"),
        (2 / 3, "66.7 %"),
        (0.99999, "99.9 %"),
        (1, "100 %"),
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
    since, until, words = period.span_of("Own", days, BERLIN, NOW)
    assert until - since == timedelta(hours=25)  # the clocks went back
    assert words == "1 day"
    _, until, _ = period.span_of("Own", (date(2026, 11, 1), date(2026, 11, 26)), PERTH, NOW)
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
    table = pd.DataFrame({"When": [at], "Name": ["=1+1"], "Runs": [-3], "p95 (s)": [float("nan")]})
    assert panel.cells(table) == (
        ["When", "Name", "Runs", "p95 (s)"],
        [["2026-11-26T09:30:00+08:00", "=1+1", -3, None]],
    )
