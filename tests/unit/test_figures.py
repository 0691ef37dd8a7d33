import tomllib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import ENDED
from sync_core.runs import Run
from sync_core.ui.parts import figures
from sync_core.ui.parts.words import look_of

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


def run(number: int, status: str, seconds: float, kind: str = "sync") -> Run:
    values = dict.fromkeys(Run.__dataclass_fields__, "")
    return Run(
        **{
            **values,
            "id": number,
            "kind": kind,
            "worked": None,
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
    assert drawn["Failed"] == (("8",), (1.0,), figures.RED)
    assert drawn[chart.data[0].name][1] == (4.0, 2.0)
    assert "2 Mar 2026, 14:30" in chart.data[0].customdata[0]


def test_an_undo_is_no_sync_in_the_chart() -> None:
    found = [run(9, "completed", 4.0, "undo"), run(8, "completed", 1.0)]
    chart = figures.durations(found, ZoneInfo("UTC"))
    assert {bars.name: bars.x for bars in chart.data} == {"Synced": ("8",), "Undo done": ("9",)}


def test_each_way_to_end_has_a_name_and_a_fill_of_its_own() -> None:
    endings = list(figures.FILLS)
    assert {status for _, status in endings} == ENDED
    assert len({look_of(*ending).word for ending in endings}) == len(endings)
    assert len(set(figures.FILLS.values())) == len(endings)
    signs = {(fill.color, fill.sign) for fill in figures.FILLS.values()}
    assert len(signs) == len(endings)
    drawn = {str(sorted(fill.marker.items())) for fill in figures.FILLS.values()}
    assert len(drawn) == len(endings)


@pytest.mark.parametrize("color", sorted({fill.color for fill in figures.FILLS.values()}))
def test_fills_stand_out_on_either_theme_and_stripes_on_what_they_fill(color: str) -> None:
    for mode in ("light", "dark"):
        assert contrast(color, THEME[mode]["backgroundColor"]) >= 3
    assert contrast(color, "#FFFFFF") >= 3  # of the stripes


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG has it."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
