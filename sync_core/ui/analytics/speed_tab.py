"""How long runs take: by resource, apart from the queue, by phase, and against their rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from math import log10

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.analytics import habits, over_time
from sync_core.analytics.habits import Phase
from sync_core.analytics.over_time import Mark, Took
from sync_core.ui.analytics import cached, drawing, panel, points
from sync_core.ui.analytics.period import Asked, title
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import figures

PHASE_COLORS = {
    "downloading": drawing.STRONG,
    "processing": drawing.MEDIUM,
    "saving": drawing.FAINT,
}
HEADERS_SYMBOL, SETTINGS_SYMBOL = "triangle-down", "diamond"


def show(here: Visitor, asked: Asked) -> None:
    """Show the tab."""
    _durations(here, asked)
    with st.grid(2, min_column_width=330):
        _waits(here, asked)
        _phases(here, asked)
    points.show(here, asked)


def _durations(here: Visitor, asked: Asked) -> None:
    found = cached.read(over_time.took, asked.wanted, asked.zone, asked.unit)
    marks = cached.read(over_time.marks, asked.wanted, asked.zone, asked.unit)
    signs = "▼ the headers of the sheet changed, ◆ a setting changed."
    about = f"Of completed runs, by {asked.unit}. {signs}"
    with panel.frame("Duration, median and p95", about, "durations"):
        if not found:
            panel.show_nothing()
            return
        with st.grid(2, min_column_width=300):
            for resource in sorted({row.resource for row in found}, key=drawing.index_of):
                with st.container(gap="xsmall"):
                    st.caption(title(resource))
                    rows = [row for row in found if row.resource == resource]
                    some = [mark for mark in marks if mark.resource == resource]
                    figure = _duration(asked, rows, some)
                    panel.draw(figure, f"Duration of {title(resource)}", f"duration-{resource}")
        panel.offer_tables(here, asked, "durations", _duration_tables(asked, found, marks))


def _duration(asked: Asked, found: Sequence[Took], marks: Sequence[Mark]) -> go.Figure:
    figure = go.Figure()
    medians = {asked.local(row.at): row.median for row in found}
    slowest = {asked.local(row.at): row.p95 for row in found}
    resource = found[0].resource
    color = drawing.shade(drawing.index_of(resource))
    for name, values, dash in (("p95", slowest, "dot"), ("Median", medians, "solid")):
        along = drawing.along(asked, values)
        drawing.line(figure, asked, name, along, color, resource, dash=dash)
    drawing.over_time(asked, drawing.tidy(figure, drawing.SMALL_CHART_PIXELS), "Seconds")
    _scale(drawing.crosshair(asked, figure), [*medians.values(), *slowest.values()])
    _mark(asked, figure, marks, max(slowest.values()))
    return figure


def _scale(figure: go.Figure, seconds: Sequence[float]) -> go.Figure:
    """Name the lines, on an axis on which a few very slow runs do not hide the usual ones."""
    top = max(seconds, default=1) * 1.15
    if not drawing.is_uneven(seconds):
        return drawing.name_lines(figure.update_yaxes(range=[0, top]), top)
    low = min(value for value in seconds if value > 0) / 1.5
    figure.update_yaxes(
        type="log", dtick=1, title="Seconds, log scale", range=list(map(log10, (low, top)))
    )
    return figure


def _mark(asked: Asked, figure: go.Figure, marks: Sequence[Mark], top: float) -> None:
    """Mark what changed: a line, and at its head a symbol of what it was."""
    at = [asked.local(mark.at) for mark in marks]
    for moment in at:
        figure.add_vline(x=moment, line={"color": figures.GREY, "dash": "dot", "width": 1})
    if marks:
        is_headers = [mark.what.startswith("the headers of ") for mark in marks]
        figure.add_scatter(
            name="Changes",
            x=at,
            y=[top * 1.08] * len(at),
            mode="markers",
            marker={
                "symbol": [
                    HEADERS_SYMBOL if headers else SETTINGS_SYMBOL for headers in is_headers
                ],
                "color": figures.GREY,
                "size": 9,
            },
            customdata=[escape(mark.what) for mark in marks],
            hovertemplate="%{x|%a %-d %b}<br>%{customdata}<extra></extra>",
            showlegend=False,
        )


def _duration_tables(asked: Asked, found: Sequence[Took], marks: Sequence[Mark]) -> panel.Tables:
    tables = {
        "Durations": pd.DataFrame(
            {
                "When": asked.there(row.at),
                "Resource": title(row.resource),
                "Timed runs": row.runs,
                "Median (s)": row.median,
                "p95 (s)": row.p95,
            }
            for row in found
        )
    }
    changes = [
        {"When": asked.there(mark.at), "Resource": title(mark.resource), "Changed": mark.what}
        for mark in marks
    ]
    return tables | ({"Changes": pd.DataFrame(changes)} if changes else {})


def _waits(here: Visitor, asked: Asked) -> None:
    found = cached.read(over_time.waited, asked.wanted, asked.zone, asked.unit)
    lines: Mapping[tuple[str, str], Mapping[datetime, float | None]] = {
        ("Work, median", "dash"): {asked.local(row.at): row.run_median for row in found},
        ("Wait, p95", "dot"): {asked.local(row.at): row.wait_p95 for row in found},
        ("Wait, median", "solid"): {asked.local(row.at): row.wait_median for row in found},
    }
    figure = go.Figure()
    seconds: list[float] = []
    for (name, dash), values in lines.items():
        known = {at: value for at, value in values.items() if value is not None}
        seconds += known.values()
        along = drawing.along(asked, known)
        drawing.line(figure, asked, name, along, drawing.STRONG, dash=dash)
    drawing.over_time(asked, drawing.tidy(figure), "Seconds")
    _scale(drawing.crosshair(asked, figure), seconds)
    table = pd.DataFrame(
        {
            "When": asked.there(row.at),
            "Runs": row.runs,
            "Wait, median (s)": row.wait_median,
            "Wait, p95 (s)": row.wait_p95,
            "Work, median (s)": row.run_median,
        }
        for row in found
    )
    about = f"By {asked.unit}: the queue apart from the work."
    panel.show(here, asked, "Waiting and working", "waits", figure, {"Waits": table}, about)


def _phases(here: Visitor, asked: Asked) -> None:
    found = cached.read(habits.phases, asked.wanted)
    figure = go.Figure()
    names = list(dict.fromkeys(title(row.resource) for row in reversed(found)))
    for phase, color in PHASE_COLORS.items():
        means = {title(row.resource): row.mean for row in found if row.phase == phase}
        drawing.bars(
            figure,
            phase.capitalize(),
            [means.get(name) for name in names],
            names,
            color,
            orientation="h",
            hovertemplate="%{y}<br>%{x:.2f} s<extra>" + phase + "</extra>",
        )
    drawing.tidy(figure)
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="Seconds", rangemode="tozero")
    about = "Mean of completed runs: the parts of a bar add up."
    table = {"Phases": pd.DataFrame(map(_phase, found))}
    panel.show(here, asked, "Where the time goes", "phases", figure, table, about)


def _phase(row: Phase) -> dict[str, object]:
    return {
        "Resource": title(row.resource),
        "Phase": row.phase.capitalize(),
        "Mean (s)": row.mean,
        "Timed runs": row.runs,
    }
