"""When in the week runs are asked for, fail, take long, or wait."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.analytics import habits
from sync_core.analytics.habits import Hour
from sync_core.foundation.counting import count
from sync_core.ui.analytics import cached, drawing, panel
from sync_core.ui.analytics.period import Asked
from sync_core.ui.frame.visitor import Visitor

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
METRICS: Mapping[str, Callable[[Hour], float | None]] = {
    "Runs": lambda hour: hour.runs,
    "Failures": lambda hour: hour.failures,
    "p95 duration": lambda hour: hour.p95,
    "Median wait": lambda hour: hour.wait,
}
IN_SECONDS = frozenset({"p95 duration", "Median wait"})


def show(here: Visitor, asked: Asked) -> None:
    """Show the tab."""
    found = cached.read(habits.hours, asked.wanted, asked.zone)
    metric = str(
        st.segmented_control(
            "Figure",
            list(METRICS),
            default="Runs",
            required=True,
            key="figure",
            bind="query-params",
        )
    )
    unit = "seconds" if metric in IN_SECONDS else "count"
    table = pd.DataFrame(
        {
            "Weekday": DAYS[row.weekday - 1],
            "Hour": row.hour,
            "Runs": row.runs,
            "Failures": row.failures,
            "p95 duration (s)": row.p95,
            "Median wait (s)": row.wait,
        }
        for row in found
    )
    panel.show(
        here,
        asked,
        f"{metric} by hour and weekday",
        "week",
        _heatmap(found, metric),
        {"Hours of the week": table},
        f"In your time zone; {unit} in each field.{_peak(found)}",
    )


def _peak(found: Sequence[Hour]) -> str:
    """Return the busiest hour in words."""
    if not found:
        return ""
    peak = max(found, key=lambda hour: hour.runs)
    when = f"{DAYS[peak.weekday - 1]}, {peak.hour:02d}:00 to {(peak.hour + 1) % 24:02d}:00"
    return f" The busiest hour: {when}, with {count(peak.runs, 'run')}."


def _heatmap(found: Sequence[Hour], metric: str) -> go.Figure:
    """Return the fields of the hours that occur; where nothing ran there is none."""
    values = {(hour.weekday, hour.hour): METRICS[metric](hour) for hour in found}
    first = min((hour.hour for hour in found), default=0)
    hours = range(first, max((hour.hour for hour in found), default=23) + 1)
    cells = [[values.get((day, hour)) for hour in hours] for day in range(1, 8)]
    figure = go.Figure()
    figure.add_heatmap(
        x=[f"{hour:02d}" for hour in hours],
        y=[day[:3] for day in DAYS],
        z=cells,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        texttemplate="%{z:.3~g}" if metric in IN_SECONDS else "%{z}",
        hovertemplate="%{y} %{x}:00<br>%{z:.3~g}<extra></extra>",
        colorbar={"thickness": 10, "title": None},
    )
    drawing.tidy(figure, 300, legend=False)
    figure.update_xaxes(type="category", title="Hour", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure
