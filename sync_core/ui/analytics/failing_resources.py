"""Which resource fails most: the part of its runs that failed, and these runs beside it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.analytics import over_time
from sync_core.analytics.definitions import JUDGED
from sync_core.analytics.over_time import Ended
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import FAILED
from sync_core.ui.analytics import cached, drawing, failed_runs, numbers, panel
from sync_core.ui.analytics.period import Asked, title
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import figures

CHOSEN = "failing"  # in the address: the resource whose failed runs are listed
CHART = "chart-failing"
ROOM_FOR_LABELS = 1.75  # of the longest bar, so that its label stands beside it


@dataclass(frozen=True)
class Failing:
    """How many of a resource's counted runs failed."""

    resource: str
    failed: int
    judged: int

    @property
    def part(self) -> float:
        """The part that failed, 0 to 1."""
        return self.failed / self.judged

    @property
    def told(self) -> str:
        """Return it in words: "7.4%, 4 of 54"."""
        return f"{numbers.percent(self.part)}, {self.failed:,} of {self.judged:,}"


def show(here: Visitor, asked: Asked) -> None:
    """Show the resources, those that fail most first, and beside them the failed runs of one."""
    found = worst_first(cached.read(over_time.ended, asked.wanted, asked.zone, asked.unit))
    failing = {row.resource: row for row in found if row.failed}
    if not failing:
        _bars(here, asked, found)
        return
    bars, beside = st.columns([2, 3])
    with bars:
        _bars(here, asked, found)
    with beside:
        _runs(here, asked, failing)


def worst_first(found: Sequence[Ended]) -> list[Failing]:
    """Return the resources with counted runs, those of which the largest part failed first."""
    judged, failed = Counter[str](), Counter[str]()
    for row in found:
        judged[row.resource] += row.runs if row.status in JUDGED else 0
        failed[row.resource] += row.runs if row.status in FAILED else 0
    rows = [Failing(name, failed[name], runs) for name, runs in judged.items() if runs]
    return sorted(rows, key=lambda row: (-row.part, drawing.index_of(row.resource)))


def _bars(here: Visitor, asked: Asked, found: Sequence[Failing]) -> None:
    name = "Which resource fails most"
    about = "The part of its counted runs that failed. Choose a bar to list those runs."
    with panel.frame(name, about, "failing"):
        if not found:
            panel.show_nothing()
            return
        st.plotly_chart(
            figures.in_small(draw(found)),
            config=panel.CHART_CONFIG,
            key=CHART,
            alt=name,
            on_select=_choose,
            selection_mode="points",
        )
        panel.offer_tables(here, asked, "failing", {"Failed runs by resource": _table(found)})


def draw(found: Sequence[Failing]) -> go.Figure:
    """Draw a bar for each resource, which says how many of how many runs failed."""
    names = [row.resource for row in found]
    figure = go.Figure()
    drawing.bars(
        figure,
        "Failed",
        [100 * row.part for row in found],
        names,
        drawing.KIND_COLORS["failed"],
        orientation="h",
        customdata=[row.resource if row.failed else "" for row in found],
        text=[row.told for row in found],
        textposition="outside",
        textfont=figures.SMALL,
        hovertext=[escape(title(name)) for name in names],
        hovertemplate="%{hovertext}: %{text} runs failed<extra></extra>",
    )
    drawing.tidy(figure, 30 + 34 * len(found), legend=False)
    longest = 100 * max(row.part for row in found) or 1
    figure.update_xaxes(visible=False, range=[0, longest * ROOM_FOR_LABELS])
    labels = [escape(title(name)) for name in names]
    return figure.update_yaxes(
        tickvals=names, ticktext=labels, autorange="reversed", type="category", showgrid=False
    )


def _table(found: Sequence[Failing]) -> pd.DataFrame:
    return pd.DataFrame(
        {"Resource": title(row.resource), "Failed runs": row.failed, "Counted runs": row.judged}
        for row in found
    )


def _choose() -> None:
    """List the failed runs of the resource whose bar was clicked, if it has any."""
    for point in st.session_state[CHART].selection.points:
        value = point.get("customdata")
        name = value[0] if isinstance(value, list) else value
        if name:
            st.session_state[CHOSEN] = name


def _runs(here: Visitor, asked: Asked, failing: dict[str, Failing]) -> None:
    with st.container(border=True, gap="xsmall", key="panel-failing-runs"):
        chosen = st.selectbox(
            "Resource",
            list(failing),
            index=None,
            placeholder="Choose a resource",
            format_func=title,
            key=CHOSEN,
            bind="query-params",
            width=320,
        )
        if chosen not in failing:
            worst = next(iter(failing.values()))
            runs = f"{worst.failed:,} of {count(worst.judged, 'run')}"
            st.caption(f"{title(worst.resource)} failed most: {runs}. Its runs are listed here.")
            return
        wanted = replace(asked.wanted, resource=(str(chosen),), status=FAILED)
        failed_runs.show(here, asked, wanted, failing[str(chosen)].failed, "runs-of-resource")
