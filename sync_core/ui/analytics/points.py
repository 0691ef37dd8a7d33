"""How long runs took against their rows: a point for each, and the list of those beside it."""

from collections.abc import Sequence
from html import escape
from math import dist, log10

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.analytics import habits
from sync_core.analytics.habits import Point
from sync_core.foundation.counting import count
from sync_core.runs import run_number
from sync_core.ui.analytics import cached, drawing, numbers, panel
from sync_core.ui.analytics.period import Asked, title
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import figures, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.runs import history_tab

POINT = "point"  # in the address: the run whose point is chosen
CHART = "chart-points"
MAX_LISTED = 10
COLUMNS = (
    Column("Run", "pinned number"),
    Column("Resource"),
    Column("Rows", "number"),
    Column("Took", "number"),
)


def show(here: Visitor, asked: Asked) -> None:
    """Show the points, and beside them the runs of the chosen one, or the slowest."""
    found = cached.read(habits.points, asked.wanted)
    about = f"The newest {habits.POINTS:,} completed runs of the period, at most."
    if not found:
        with panel.frame("Duration against rows", about, "points"):
            panel.show_nothing()
        return
    chart, beside = st.columns([3, 2])
    with chart, panel.frame("Duration against rows", about, "points"):
        st.plotly_chart(
            figures.in_small(_figure(found)),
            config=panel.CHART_CONFIG,
            key=CHART,
            alt="Duration against rows; a click lists the run and those that are like it",
            on_select=_choose,
            selection_mode="points",
        )
        table = pd.DataFrame(map(_point, found))
        panel.offer_tables(here, asked, "points", {"Durations and rows": table})
    with beside:
        _list(here, found)


def _figure(found: Sequence[Point]) -> go.Figure:
    figure = go.Figure()
    for resource in sorted({row.resource for row in found}, key=drawing.index_of):
        some = [row for row in found if row.resource == resource]
        color = drawing.shade(drawing.index_of(resource))
        figure.add_scatter(
            name=escape(title(resource)),
            mode="markers",
            x=[row.rows for row in some],
            y=[row.seconds for row in some],
            marker={"size": 7, "opacity": 0.55, "color": color},
            customdata=[row.run_id for row in some],
            hovertext=[f"Run {row.run_id}: {numbers.seconds(row.seconds)}" for row in some],
            hovertemplate="%{hovertext}<br>%{x:,} rows<extra></extra>",
        )
    drawing.tidy(figure)
    figure.update_xaxes(title="Rows read", type="log", dtick=1)
    return figure.update_yaxes(title="Seconds", rangemode="tozero")


def _choose() -> None:
    """Name the run whose point was clicked in the address; none where the choice was taken away."""
    points = st.session_state[CHART].selection.points
    runs = [point["customdata"] for point in points if "customdata" in point]
    if runs:
        run = runs[0]
        st.query_params[POINT] = str(run[0] if isinstance(run, list) else run)
    else:
        st.query_params.pop(POINT, None)


def _list(here: Visitor, found: Sequence[Point]) -> None:
    """List the chosen run and those most like it; without one the slowest."""
    number = run_number.read(st.query_params.get(POINT, ""))
    chosen = next((row for row in found if row.run_id == number), None)
    some = like(chosen, found) if chosen else sorted(found, key=lambda row: -row.seconds)
    head = f"Run {chosen.run_id}, and those most like it" if chosen else "The slowest runs"
    about = "" if chosen else "Choose a point to see its run and those most like it."
    with panel.frame(head, about, "points-list"):
        rows = [Row(f"{row.run_id}", _cells(row)) for row in some[:MAX_LISTED]]
        opened = row_table.show(Table(COLUMNS, rows), key="runs-of-point", alt=head)
        if len(some) > MAX_LISTED:
            st.caption(f"The first {MAX_LISTED} of {count(len(some), 'run')}.")
    if opened is not None:
        history_tab.open_run(here, int(opened))


def like(chosen: Point, found: Sequence[Point]) -> Sequence[Point]:
    """Return the runs of its resource, those first that took as long for as many rows."""

    def place(row: Point) -> tuple[float, float]:
        return log10(1 + row.rows), log10(1 + row.seconds)

    of_same = [row for row in found if row.resource == chosen.resource]
    return sorted(of_same, key=lambda row: (row != chosen, dist(place(row), place(chosen))))


def _cells(row: Point) -> Sequence[Cell]:
    return (
        Cell(f"{row.run_id}"),
        Cell(title(row.resource)),
        Cell(f"{row.rows:,}"),
        Cell(numbers.seconds(row.seconds)),
    )


def _point(row: Point) -> dict[str, object]:
    return {
        "Run": row.run_id,
        "Resource": title(row.resource),
        "Rows": row.rows,
        "Took (s)": row.seconds,
    }
