"""How charts look: solid fills, names beside their lines, and one crosshair for all of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import accumulate
from statistics import median

import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

from sync_core.catalogue import resources
from sync_core.ui.analytics import behind
from sync_core.ui.analytics.period import Asked
from sync_core.ui.parts.figures import AMBER, GREEN, GREY, RED, SMALL, Fill

CHART_PIXELS, SMALL_CHART_PIXELS = 250, 170  # heights
LABEL_PIXELS, LETTER_PIXELS = 15, 7  # of a name at the end of its line
FAR_AWAY = 10  # times the usual value: such a one would press all others to the ground
STRONG, MEDIUM, FAINT = "#64738C", GREY, "#A9B5C7"  # parts of one thing: no status, no resource
KIND_COLORS = {  # as their badges everywhere
    "created": GREEN,
    "updated": "#3565DB",
    "removed": "#5F6F86",
    "skipped": AMBER,
    "failed": RED,
    "unchanged": "#CBD3E0",
}
Values = Sequence[float | None]


def shade(index: int) -> str:
    """Return one of the theme's colours; Streamlit's pages put the real one in its stead."""
    shades = pio.templates["streamlit"].layout.colorway
    return str(shades[index % len(shades)])


def css_shade(index: int) -> str:
    """Return the same colour for HTML of our own, of either theme."""
    shades = (st.get_option(f"theme.{mode}.chartCategoricalColors") for mode in ("light", "dark"))
    light, dark = (some[index % len(some)] for some in shades)
    return f"light-dark({light}, {dark})"


def index_of(resource: str) -> int:
    """Return the index of a resource among all: it keeps its colour everywhere."""
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
        hoverlabel={"namelength": -1, "font": SMALL},
        clickmode="event+select",
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
    figure.update_xaxes(
        type="date", showgrid=False, nticks=5, tickangle=0, title=None, tickformat=form
    )
    figure.update_yaxes(rangemode="tozero", nticks=5, title=title, ticksuffix=unit)
    return figure


def line(
    figure: go.Figure,
    asked: Asked,
    name: str,
    values: Values,
    color: str,
    *resource: str,
    dash: str = "solid",
) -> None:
    """Add a line with gaps; a click on it leads to the runs of that time, and of the resource."""
    times = asked.time_axis()
    alone = [_stands_alone(values, index) for index in range(len(values))]
    figure.add_scatter(
        name=escape(name),
        x=times,
        y=values,
        mode="lines+markers",
        connectgaps=False,
        line={"width": 2, "color": color, "dash": dash},
        marker={"size": [6 if one else 0.1 for one in alone], "color": color, "line": {"width": 0}},
        customdata=[behind.address(asked, at, resource=resource) for at in times],
        hovertemplate="%{y:,.3~g}",
    )


def _stands_alone(values: Values, index: int) -> bool:
    """Return whether a point has no neighbour to be joined with: only as a mark it is seen."""
    beside = values[max(0, index - 1) : index] + values[index + 1 : index + 2]  # type: ignore[operator] # lists
    return values[index] is not None and all(value is None for value in beside)


def crosshair(asked: Asked, figure: go.Figure) -> go.Figure:
    """Let one line across the chart tell all values of the time that is pointed at."""
    figure.update_layout(hovermode="x unified")
    return figure.update_xaxes(
        hoverformat="%a %-d %b, %H:%M" if asked.unit == "hour" else "%a %-d %b",
        showspikes=True,
        spikemode="across",
        spikethickness=1,
        spikedash="dot",
        spikecolor=GREY,
    )


def name_lines(figure: go.Figure, top: float, bottom: float = 0.0) -> go.Figure:
    """Write the name of each line at its end, in its colour, instead of a legend.

    `top` and `bottom` are the ends of the axis of values.
    """
    ends = sorted(
        (value, line.name, line.line.color)
        for line in figure.data
        if (value := _end(line)) is not None
    )
    gap = (top - bottom) * LABEL_PIXELS / max(1, figure.layout.height - 40)
    heights = spread([value for value, *_ in ends], gap, top)
    for height, (_, name, color) in zip(heights, ends, strict=True):
        _beside(figure, height, name, color)
    longest = max((len(name) for _, name, _ in ends), default=0)
    return figure.update_layout(
        showlegend=False, margin={"r": 14 + LETTER_PIXELS * longest, "t": 12}
    )


def name_stacks(figure: go.Figure) -> go.Figure:
    """Write the names of the parts of stacked bars beside the last bar, at their heights."""
    last = max((place for bar in figure.data for place in _filled(bar)), default=0)
    sizes = [(bar, (bar.y[last] or 0) if bar.y else 0) for bar in figure.data]
    ends = list(accumulate(size for _, size in sizes))
    middles = [end - size / 2 for end, (_, size) in zip(ends, sizes, strict=True)]
    top = _highest(figure)
    gap = top * LABEL_PIXELS / max(1, figure.layout.height - 40)
    for height, (bar, _) in zip(spread(middles, gap, top), sizes, strict=True):
        sign = Fill(bar.marker.color, striped=bool(bar.marker.pattern.shape)).sign
        mark = f'<span style="color:{bar.marker.color}">{sign}</span> '
        _beside(figure, height, mark + bar.name)
    longest = max((len(bar.name) for bar in figure.data), default=0)
    return figure.update_layout(
        showlegend=False, margin={"r": 30 + LETTER_PIXELS * longest, "t": 12}
    ).update_yaxes(range=[0, top])


def _filled(bar: go.Bar) -> Sequence[int]:
    return [place for place, value in enumerate(bar.y or ()) if value]


def _highest(figure: go.Figure) -> float:
    """Return the end of the axis of values: it is given, or a little above the highest bar."""
    if figure.layout.yaxis.range:
        return float(figure.layout.yaxis.range[1])
    heights = [
        sum(value or 0 for value in parts)
        for parts in zip(*(b.y for b in figure.data), strict=True)
    ]
    return 1.05 * max(heights, default=1) or 1


def _beside(figure: go.Figure, height: float, text: str, color: str | None = None) -> None:
    """Write a text on the right of the chart, at a height of its axis of values."""
    figure.add_annotation(
        x=1,
        xref="paper",
        xanchor="left",
        xshift=6,
        y=height,
        text=text,
        showarrow=False,
        font={"color": color, **SMALL},
    )


def _end(line: go.Scatter) -> float | None:
    """Return the last value of a line."""
    return next((value for value in reversed(line.y or ()) if value is not None), None)


def spread(values: Sequence[float], gap: float, top: float) -> list[float]:
    """Return ascending heights for ascending values: a gap apart at least, and not above `top`.

    Where there is not enough room for all, the lowest go below the axis.
    """
    heights: list[float] = []
    for value in values:
        heights.append(max([value, *(one + gap for one in heights[-1:])]))
    ceiling = top
    for index in reversed(range(len(heights))):
        heights[index] = min(heights[index], ceiling)
        ceiling = heights[index] - gap
    return heights


def is_uneven(values: Sequence[float]) -> bool:
    """Return whether some value is so far above the others that only a logarithm shows both."""
    known = [value for value in values if value > 0]
    return bool(known) and max(known) > FAR_AWAY * median(known)


def cut_off(figure: go.Figure, heights: Mapping[datetime, float]) -> bool:
    """Cut bars off that are so high that all others would lie on the ground, and write how high.

    `heights` are those of whole bars. Returns whether any is cut off.
    """
    if not is_uneven(list(heights.values())):
        return False
    usual = FAR_AWAY * median(value for value in heights.values() if value > 0)
    top = 1.25 * max(value for value in heights.values() if value <= usual)
    figure.update_yaxes(range=[0, top], autorange=False)
    middle = sorted(heights)[len(heights) // 2]
    for at, height in heights.items():
        if height > usual:
            is_early = at < middle
            figure.add_annotation(
                x=at,
                xanchor="left" if is_early else "right",
                xshift=8 if is_early else -8,
                y=1,
                yref="paper",
                yanchor="top",
                text=f"{height:,.0f} ↑",
                showarrow=False,
                font=SMALL,
            )
    return True


def bars(
    figure: go.Figure,
    name: str,
    x: Sequence[object],
    y: Sequence[object],
    fill: Fill | str,
    **more: object,
) -> None:
    """Add bars with this fill, or in this colour."""
    marker = (Fill(fill) if isinstance(fill, str) else fill).marker
    figure.add_bar(name=escape(name), x=x, y=y, marker=marker, **more)
