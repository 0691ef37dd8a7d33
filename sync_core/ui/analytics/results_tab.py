"""How runs ended, what they did to rows, and how fresh data were."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.analytics import freshness, habits, over_time
from sync_core.analytics.definitions import JUDGED
from sync_core.analytics.freshness import Kept
from sync_core.analytics.habits import OfResource
from sync_core.analytics.over_time import Ended, Handled
from sync_core.catalogue import resources
from sync_core.foundation.vocabulary import APPLIED, CHANGED, OutcomeKind, RunKind
from sync_core.runs import Run
from sync_core.ui.analytics import behind, cached, drawing, numbers, panel
from sync_core.ui.analytics.period import Asked, title
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import figures, row_table
from sync_core.ui.parts.html import render
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import look_of
from sync_core.ui.runs import run_strip

TOUCHED = (*CHANGED, OutcomeKind.SKIPPED, OutcomeKind.FAILED)
ROW_KINDS = (*TOUCHED, OutcomeKind.UNCHANGED)
COLUMNS = (
    Column("Resource", "pinned"),
    Column("Runs", "number"),
    Column("Counted", "number"),  # of which success is a part
    Column("Synced", "number"),  # whose durations count
    Column("Success", "number"),
    Column("Mean", "number"),
    Column("Median", "number"),
    Column("p95", "number"),
)
BASE = (
    "Success is the part of the counted runs that were synced without a failed row. Those that were"
    " cancelled, waited for a decision that nobody made, or are still active are not counted."
)
TRAILING_DAYS = 7  # over which the success rate is taken, in a period of some weeks
TRAILING_FROM_DAYS = 14


@dataclass(frozen=True)
class Share:
    """For which part of the time a resource was within its max age."""

    name: str
    told: str
    percent: float
    color: str  # CSS
    more: str


def show(here: Visitor, asked: Asked) -> None:
    """Show the tab."""
    wanted, by = asked.wanted, (asked.zone, asked.unit)
    names = [name for name in resources.CATALOGUE if not wanted.resource or name in wanted.resource]
    ended = cached.read(over_time.ended, wanted, *by)
    handled = cached.read(over_time.handled, wanted, *by)
    compared, last, fresh = cached.read_all(
        [
            (habits.of_resources, wanted),
            (habits.last, wanted, names, run_strip.MAX_RUNS),
            (freshness.kept, wanted),
        ]
    )
    with st.grid(2, min_column_width=330):
        _outcomes(here, asked, ended)
        _success(here, asked, ended)
    _resources(here, asked, compared, last)
    with st.grid(2, min_column_width=330):
        _rows(here, asked, handled)
        _kept_fresh(here, asked, fresh)


def _outcomes(here: Visitor, asked: Asked, found: Sequence[Ended]) -> None:
    counted = Counter[tuple[str, datetime]]()
    for row in found:
        counted[look_of(row.kind, row.status).word, asked.local(row.at)] += row.runs
    times, figure = asked.time_axis(), go.Figure()
    for (kind, status), fill in figures.FILLS.items():
        word = look_of(kind, status).word
        values = [counted[word, at] for at in times]
        if any(values):
            wanted = _of_ending(asked, kind, status)
            addresses = [behind.address(wanted, at) for at in times]
            drawing.bars(figure, word, times, values, fill, customdata=addresses)
    figure.update_layout(barmode="stack")
    drawing.crosshair(asked, drawing.over_time(asked, drawing.tidy(figure), "Runs"))
    drawing.name_stacks(figure)
    words = _in_order({word for word, _ in counted})
    rows = [
        {"When": asked.there(at), **{word: counted[word, at] for word in words}}
        for at in times
        if any(counted[word, at] for word in words)
    ]
    name = f"Outcomes by {asked.unit}"
    panel.show(here, asked, name, "outcomes", figure, {name: pd.DataFrame(rows)})


def _of_ending(asked: Asked, kind: str | None, status: str) -> Asked:
    """Ask for the runs that ended so: undos, or those that are none."""
    origins = asked.wanted.trigger or asked.triggers
    others = tuple(name for name in origins if name != RunKind.UNDO)
    apart = status in APPLIED and RunKind.UNDO in origins
    trigger = (RunKind.UNDO,) if kind else others if apart else asked.wanted.trigger
    return replace(asked, wanted=replace(asked.wanted, status=(status,), trigger=trigger))


def _in_order(words: Collection[str]) -> Sequence[str]:
    """Return the words of the endings in their order, and after them those of active runs."""
    known = [look_of(kind, status).word for kind, status in figures.FILLS]
    return [*(word for word in known if word in words), *sorted(set(words) - set(known))]


def _success(here: Visitor, asked: Asked, found: Sequence[Ended]) -> None:
    figure = go.Figure()
    window = (
        TRAILING_DAYS if asked.unit == "day" and len(asked.time_axis()) > TRAILING_FROM_DAYS else 1
    )
    judged, completed = _judged(asked, found)
    for resource in sorted(judged, key=drawing.index_of):
        rates = trailing(asked.time_axis(), judged[resource], completed[resource], window)
        values = drawing.along(asked, {at: 100 * rate for at, rate in rates.items()})
        color = drawing.shade(drawing.index_of(resource))
        drawing.line(figure, asked, title(resource), values, color, resource)
    drawing.crosshair(asked, drawing.over_time(asked, drawing.tidy(figure), "Success", "%"))
    drawing.name_lines(figure.update_yaxes(range=[0, 104]), 104)
    rows = _success_rows(asked, judged, completed)
    about = f"Of the {window} days up to each day." if window > 1 else ""
    panel.show(
        here,
        asked,
        "Success rate over time",
        "success",
        figure,
        {f"Success by {asked.unit}": pd.DataFrame(rows)},
        about,
    )


Counts = Mapping[str, Counter[datetime]]  # by resource


def _success_rows(asked: Asked, judged: Counts, completed: Counts) -> list[dict[str, object]]:
    return [
        {
            "When": asked.there(at),
            "Resource": title(resource),
            "Counted runs": judged[resource][at],
            "Completed": completed[resource][at],
            "Success": round(completed[resource][at] / judged[resource][at], 4),
        }
        for at in asked.time_axis()
        for resource in judged
        if judged[resource][at]
    ]


def _judged(asked: Asked, found: Sequence[Ended]) -> tuple[Counts, Counts]:
    """Return the counts of judged and of completed runs, by resource and time."""
    judged: dict[str, Counter[datetime]] = {}
    completed: dict[str, Counter[datetime]] = {}
    for row in found:
        if row.status in JUDGED:
            at = asked.local(row.at)
            judged.setdefault(row.resource, Counter())[at] += row.runs
            done = row.runs if row.status == "completed" else 0
            completed.setdefault(row.resource, Counter())[at] += done
    return judged, completed


def trailing(
    times: Sequence[datetime],
    judged: Mapping[datetime, int],
    completed: Mapping[datetime, int],
    window: int,
) -> Mapping[datetime, float]:
    """Return the success rate of the last `window` times at each; none where nothing was judged.

    Where the window would begin before the period there is none, either.
    """
    rates = {}
    for index in range(window - 1, len(times)):
        some = times[index - window + 1 : index + 1]
        if whole := sum(judged.get(at, 0) for at in some):
            rates[times[index]] = sum(completed.get(at, 0) for at in some) / whole
    return rates


def _resources(
    here: Visitor, asked: Asked, found: Sequence[OfResource], last: Mapping[str, Sequence[Run]]
) -> None:
    with panel.frame("Resources", "", "resources"):
        if not found:
            panel.show_nothing()
            return
        worst_first = sorted(found, key=lambda row: 1.0 if row.success is None else row.success)
        rows = [Row("", list(map(Cell, _resource(row)))) for row in worst_first]
        alt = "Runs, success and durations of each resource"
        row_table.show(Table(COLUMNS, rows), key="resources", alt=alt)
        st.caption(BASE)
        panel.offer_file(here, asked, "Resources", pd.DataFrame(map(_in_file, found)), "resources")
        _run_strips(here, last)


def _resource(row: OfResource) -> Sequence[str]:
    return (
        title(row.resource),
        f"{row.runs:,}",
        f"{row.judged:,}",
        f"{row.completed:,}",
        f"{numbers.percent(row.success)}{' (few runs)' if numbers.few(row.judged) else ''}",
        numbers.seconds(row.mean),
        numbers.seconds(row.median),
        numbers.seconds(row.p95),
    )


def _in_file(row: OfResource) -> dict[str, object]:
    return {
        "Resource": title(row.resource),
        "Runs": row.runs,
        "Counted runs": row.judged,
        "Completed": row.completed,
        "Success": row.success,
        "Mean (s)": row.mean,
        "Median (s)": row.median,
        "p95 (s)": row.p95,
    }


def _run_strips(here: Visitor, last: Mapping[str, Sequence[Run]]) -> None:
    """Show the last runs of each resource, one bar a run."""
    st.caption(
        f"The last {run_strip.MAX_RUNS} runs of each in this period, the newest on the right."
    )
    with st.grid(2, min_column_width=280, gap="small"):
        for name, some in last.items():
            with st.container(gap="xsmall"):
                st.caption(title(name))
                run_strip.show(here, some)


def _rows(here: Visitor, asked: Asked, found: Sequence[Handled]) -> None:
    figure, times = go.Figure(), asked.time_axis()
    heights: dict[datetime, float] = {}
    for kind in TOUCHED:
        values = {asked.local(row.at): getattr(row, kind) / row.runs for row in found}
        heights = {at: heights.get(at, 0.0) + value for at, value in values.items()}
        if any(values.values()):
            drawing.bars(
                figure,
                kind.capitalize(),
                times,
                drawing.along(asked, values),
                drawing.KIND_COLORS[kind],
                hovertemplate="%{y:,.1f} a run",
                customdata=[behind.address(asked, at, status=APPLIED) for at in times],
            )
    figure.update_layout(barmode="stack")
    drawing.crosshair(asked, drawing.over_time(asked, drawing.tidy(figure), "Rows a run"))
    about = "Unchanged rows are in the table."
    if drawing.cut_off(figure, heights):
        about += " Bars with an arrow are cut off; the number is their height."
    drawing.name_stacks(figure)
    name = f"Rows by {asked.unit}"
    panel.show(
        here,
        asked,
        "Rows per run by outcome",
        "rows",
        figure,
        {name: pd.DataFrame(_handled(asked, row) for row in found)},
        about,
    )


def _handled(asked: Asked, row: Handled) -> dict[str, object]:
    kinds = {kind.capitalize(): getattr(row, kind) for kind in ROW_KINDS}
    return {"When": asked.there(row.at), "Runs": row.runs, **kinds}


def _share(row: Kept) -> Share:
    late = timedelta(seconds=row.known - row.fresh).total_seconds()
    longest = f"longest {numbers.days(row.longest)} without a sync"
    return Share(
        title(row.resource),
        f"{numbers.percent(row.part)} of the time within {numbers.days(row.promised)}",
        min(100.0, 100 * (row.part or 0.0)),
        drawing.css_shade(drawing.index_of(row.resource)),
        f"{longest}, {numbers.days(late)} too old" if late else longest,
    )


def _kept_fresh(here: Visitor, asked: Asked, found: Sequence[Kept]) -> None:
    with panel.frame("Time within max age", "", "fresh"):
        if not found:
            panel.show_nothing()
            return
        for row in found:
            st.html(render("share", share=_share(row)))
        table = pd.DataFrame(
            {
                "Resource": title(row.resource),
                "Max age (s)": row.promised,
                "Known (s)": row.known,
                "Fresh (s)": row.fresh,
                "Longest (s)": row.longest,
                "Kept": row.part,
            }
            for row in found
        )
        panel.offer_tables(here, asked, "fresh", {"Freshness": table})
