"""How charts look: the theme's colours where it has them, and a pattern beside the colour."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

import plotly.graph_objects as go
import plotly.io as pio

from sync_core.catalogue import resources
from sync_core.ui.analytics.period import Asked
from sync_core.ui.parts.figures import COLORS, PATTERNS
from sync_core.ui.parts.words import LOOKS

CHART_PIXELS, SMALL_CHART_PIXELS = 270, 190  # heights
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
KIND_COLORS = {
    "created": "#12A37A",
    "updated": "#4C7DF0",
    "removed": "#7C8AA0",
    "skipped": "#D98A0B",
    "failed": "#DC4B4B",
    "unchanged": "#A9B4C6",
}
KIND_PATTERNS = {
    "created": "",
    "updated": "/",
    "removed": "-",
    "skipped": ".",
    "failed": "x",
    "unchanged": "",
}
GREY = "#7C8AA0"  # stands out on white and on black
Values = Sequence[float | None]


def shade(index: int) -> str:
    """Return one of the theme's colours; Streamlit's pages put the real one in its stead."""
    shades = pio.templates["streamlit"].layout.colorway
    return str(shades[index % len(shades)])


def index_of(resource: str) -> int:
    """Return the index of a resource among all: it keeps its colour and its symbol everywhere."""
    names = list(resources.CATALOGUE)
    return names.index(resource) if resource in names else len(names)


def tidy(figure: go.Figure, height: int = CHART_PIXELS, *, legend: bool = True) -> go.Figure:
    """Return the chart with the margins and the legend of all charts."""
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        showlegend=legend,
        legend={
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "title": None,
            "traceorder": "normal",
        },
        bargap=0.25,
        hovermode="closest",
        hoverlabel={"namelength": -1},
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def along(asked: Asked, values: Mapping[datetime, float]) -> Values:
    """Return the values along the whole period; None is drawn as a gap."""
    return [values.get(at) for at in asked.time_axis()]


def over_time(asked: Asked, figure: go.Figure, title: str, unit: str = "") -> go.Figure:
    """Return the chart with its axes over the whole period, from zero."""
    times = asked.time_axis()
    half = (times[1] - times[0]) / 2 if len(times) > 1 else None
    if half:
        figure.update_xaxes(range=[times[0] - half, times[-1] + half])
    form = "%H:%M\n%-d %b" if asked.unit == "hour" else "%-d %b"
    figure.update_xaxes(type="date", showgrid=False, nticks=8, title=None, tickformat=form)
    figure.update_yaxes(rangemode="tozero", nticks=5, title=title, ticksuffix=unit)
    return figure


def line(figure: go.Figure, asked: Asked, name: str, values: Values, index: int) -> None:
    """Add a line with gaps; single points between gaps are seen as markers."""
    times = asked.time_axis()
    figure.add_scatter(
        name=escape(name),
        x=times,
        y=values,
        mode="lines+markers",
        connectgaps=False,
        line={"dash": DASHES[index % len(DASHES)], "width": 1.75, "color": shade(index)},
        marker={
            "symbol": SYMBOLS[index % len(SYMBOLS)],
            "size": 5 if len(times) < 50 else 4,  # noqa: PLR2004
            "color": shade(index),
        },
    )


def status_bar(figure: go.Figure, status: str, x: Sequence[object], y: Values) -> None:
    """Add the bars of a status, in its colour and with its pattern."""
    figure.add_bar(
        name=LOOKS[status].word,
        x=x,
        y=y,
        marker=patterned(COLORS.get(status, GREY), PATTERNS.get(status, "\\")),
        hovertemplate="%{x|%a %d %b, %H:%M}<br>%{y}<extra>" + LOOKS[status].word + "</extra>",
    )


def patterned(color: str, shape: str) -> Mapping[str, object]:
    """Return a marker in a colour and a pattern, for the colour alone is no sign."""
    pattern = {"shape": shape, "fillmode": "overlay", "size": 6, "solidity": 0.2}
    return {"color": color, "pattern": pattern, "line": {"width": 0}}
