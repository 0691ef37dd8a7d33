"""Charts of runs, in the colours of the statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import streamlit as st

from sync_core.foundation.vocabulary import RunKind, RunStatus
from sync_core.runs import MADE_UP, Run
from sync_core.ui.parts.words import lasted, look, look_of, moment

GREEN, AMBER, RED, GREY = "#12A37A", "#C77A05", "#DC4B4B", "#7C8AA0"  # seen on white and on black


@dataclass(frozen=True)
class Fill:
    """What fills a bar: a colour, with white stripes where solid it means something else."""

    color: str
    striped: bool = False

    @property
    def marker(self) -> dict[str, object]:
        """Return it as plotly wants it."""
        stripes = {"shape": "/", "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 6}
        pattern = {"pattern": {**stripes, "solidity": 0.35}} if self.striped else {}
        return {"color": self.color, "line": {"width": 0}, **pattern}

    @property
    def sign(self) -> str:
        """Return a square that is filled like this."""
        return "▨" if self.striped else "■"


FILLS: Mapping[tuple[RunKind | None, RunStatus], Fill] = {  # of the ways to end: the best first
    (None, RunStatus.COMPLETED): Fill(GREEN),
    (RunKind.UNDO, RunStatus.COMPLETED): Fill(GREEN, striped=True),
    (None, RunStatus.PARTIAL): Fill(AMBER),
    (RunKind.UNDO, RunStatus.PARTIAL): Fill(AMBER, striped=True),
    (None, RunStatus.FAILED): Fill(RED),
    (None, RunStatus.TIMED_OUT): Fill(RED, striped=True),
    (None, RunStatus.CANCELLED): Fill(GREY),
    (None, RunStatus.EXPIRED): Fill(GREY, striped=True),
}
SMALL = {"size": 12}  # pixels; of letters
HEIGHT_PIXELS = 180
MAX_NAMES = 12  # of runs below the bars; the pointer tells of the others
MIN_RUNS = 3  # below which a chart says nothing


def durations(found: Sequence[Run], zone: ZoneInfo) -> go.Figure:
    """Draw how long runs took, oldest first: a fill for each way to end, and its word."""
    figure = go.Figure()
    order = [str(run.id) for run in reversed(found)]
    for ending, fill in FILLS.items():
        word = look_of(*ending).word
        some = [run for run in found if look_of(run.kind, run.status).word == word]
        if some:
            figure.add_bar(
                name=word,
                x=[str(run.id) for run in some],
                y=[run.seconds for run in some],
                marker=fill.marker,
                width=0.5,
                customdata=[_hover_text(run, zone) for run in some],
                hovertemplate="%{customdata}<extra></extra>",
            )
    figure.update_xaxes(type="category", categoryarray=order, title="Run", showgrid=False)
    figure.update_xaxes(tickangle=0, nticks=MAX_NAMES)
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
    made_up = f" ({MADE_UP})" if run.trigger == MADE_UP else ""
    return f"Run {run.id}, {moment(run.queued_at, zone)}: {took}, {how}{made_up}"


def show_durations(found: Sequence[Run], zone: ZoneInfo, key: str) -> None:
    """Show how long the runs took, where there are enough of them to compare."""
    ended = [run for run in found if run.seconds is not None and run.finished_at]
    if len(ended) < MIN_RUNS:
        return
    st.markdown("**How long the last runs took**")
    st.plotly_chart(durations(ended, zone), config={"displayModeBar": False}, key=key)
