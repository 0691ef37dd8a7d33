"""Charts of runs, in the colours of the statuses."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import streamlit as st

from sync_core.runs import Run
from sync_core.ui.parts.words import LOOKS, lasted, look, moment

COLORS = {  # they stand out on white and on black
    "completed": "#12A37A",
    "partial": "#D98A0B",
    "failed": "#DC4B4B",
    "timed_out": "#DC4B4B",
    "cancelled": "#7C8AA0",
}
SMALL = {"size": 12}  # pixels; of letters
HEIGHT_PIXELS = 180
MIN_RUNS = 3  # below which a chart says nothing


def durations(found: Sequence[Run], zone: ZoneInfo) -> go.Figure:
    """Draw how long runs took, oldest first: a colour for each way to end, and its word."""
    figure = go.Figure()
    order = [str(run.id) for run in reversed(found)]
    for status, color in COLORS.items():
        runs_of_status = [run for run in found if run.status == status]
        if runs_of_status:
            figure.add_bar(
                name=LOOKS[status].word,
                x=[str(run.id) for run in runs_of_status],
                y=[run.seconds for run in runs_of_status],
                marker={"color": color, "line": {"width": 0}},
                width=0.5,
                customdata=[_hover_text(run, zone) for run in runs_of_status],
                hovertemplate="%{customdata}<extra></extra>",
            )
    figure.update_xaxes(type="category", categoryarray=order, title="Run", showgrid=False)
    figure.update_yaxes(title="Seconds", rangemode="tozero", nticks=4)
    figure.update_layout(
        height=HEIGHT_PIXELS,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.2, "title": None},
        bargap=0.3,
    )
    return in_small(figure)


def in_small(figure: go.Figure) -> go.Figure:
    """Return the chart with axes and names in the smallest size of type of the pages."""
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(tickfont=SMALL, title_font=SMALL)
    figure.update_traces(colorbar_tickfont=SMALL, textfont=SMALL, selector={"type": "heatmap"})
    return figure.update_layout(legend_font=SMALL)


def _hover_text(run: Run, zone: ZoneInfo) -> str:
    took, how = lasted(run.seconds or 0), look(run).word.lower()
    return f"Run {run.id}, {moment(run.queued_at, zone)}: {took}, {how}"


def show_durations(found: Sequence[Run], zone: ZoneInfo, key: str) -> None:
    """Show how long the runs took, where there are enough of them to compare."""
    ended = [run for run in found if run.seconds is not None and run.status in COLORS]
    if len(ended) < MIN_RUNS:
        return
    st.markdown("**How long the last runs took**")
    st.plotly_chart(durations(ended, zone), config={"displayModeBar": False}, key=key)
