from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sync_core.runs import Run
from sync_core.ui.parts import figures

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


def run(number: int, status: str, seconds: float) -> Run:
    values = dict.fromkeys(Run.__dataclass_fields__, "")
    return Run(
        **{
            **values,
            "id": number,
            "status": status,
            "queued_at": START,
            "started_at": START,
            "finished_at": START + timedelta(seconds=seconds),
        }  # type: ignore[arg-type]  # what the chart does not read
    )


def test_runs_stand_in_their_order_and_each_ending_has_its_name_and_colour() -> None:
    newest_first = [run(9, "completed", 4.0), run(8, "failed", 1.0), run(7, "completed", 2.0)]
    chart = figures.durations(newest_first, ZoneInfo("Australia/Perth"))
    assert chart.layout.xaxis.categoryarray == ("7", "8", "9")
    drawn = {bars.name: (bars.x, bars.y, bars.marker.color) for bars in chart.data}
    assert drawn["Failed"] == (("8",), (1.0,), figures.COLORS["failed"])
    assert drawn[chart.data[0].name][1] == (4.0, 2.0)
    assert "2 Mar 2026, 14:30" in chart.data[0].customdata[0]
