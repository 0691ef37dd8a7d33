"""Why runs and rows failed: by code, then the rows themselves; and which fail again and again."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.analytics import habits, reasons
from sync_core.analytics.reasons import FailedRow, Offender, Reason
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import FAILED
from sync_core.ui.analytics import cached, cards, drawing, panel
from sync_core.ui.analytics.period import Asked, title
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import DAY_FORMAT, MOMENT_FORMAT

ROWS, RUNS = "Rows", "Runs"
MAX_BARS = 12
CODE = "code"  # of the reason that is opened, in the address


def show(here: Visitor, asked: Asked) -> None:
    """Show the tab."""
    of = st.segmented_control(
        "Failed",
        [ROWS, RUNS],
        default=ROWS,
        required=True,
        key="failed",
        bind="query-params",
    )
    question = reasons.of_rows if of == ROWS else reasons.of_runs
    found = cached.read(question, asked.wanted)
    _pareto(here, asked, str(of), found)
    if found:
        _reason(here, asked, str(of), found)
    _offenders(here, asked)


def in_words(code: str) -> str:
    """Return a code as people read it: "Bad phone"."""
    return code.replace("_", " ").capitalize()


def _pareto(here: Visitor, asked: Asked, of: str, found: Sequence[Reason]) -> None:
    name = f"Why {of.lower()} failed"
    with panel.frame(name, "Choose a bar to see what is behind it.", "pareto"):
        if not found:
            panel.show_nothing()
            return
        st.plotly_chart(
            _bars(of, found),
            config=panel.CHART_CONFIG,
            key=f"chart-pareto-{of}",
            alt=name,
            on_select=partial(_choose, of),
            selection_mode="points",
        )
        table = pd.DataFrame(
            {"Reason": row.code, f"Failed {of.lower()}": row.count, "In runs": row.runs}
            for row in found
        )
        panel.offer_tables(here, asked, "pareto", {f"Reasons of {of.lower()}": table})


def _bars(of: str, found: Sequence[Reason]) -> go.Figure:
    """Draw the most frequent reasons, and what part of all they make up together."""
    some, total = found[:MAX_BARS], sum(row.count for row in found)
    names = [in_words(row.code) for row in some]
    counts = [row.count for row in some]
    figure = go.Figure()
    figure.add_bar(
        name=f"Failed {of.lower()}",
        orientation="h",
        y=names,
        x=counts,
        customdata=[row.code for row in some],
        text=[f"{number:,}" for number in counts],
        textposition="inside",
        insidetextanchor="start",
        constraintext="none",
        marker={"color": drawing.KIND_COLORS["failed"]},
        hovertemplate="%{y}: %{x:,}<extra></extra>",
    )
    figure.add_scatter(
        name="Together, % of all",
        y=names,
        x=[100 * part / total for part in accumulate(counts)],
        xaxis="x2",
        mode="lines+markers",
        line={"color": drawing.GREY, "dash": "dot"},
        hovertemplate="%{x:.0f} % of all<extra></extra>",
    )
    return _axes(drawing.tidy(figure, 110 + 30 * len(some)))


def _axes(figure: go.Figure) -> go.Figure:
    """Put counts on the axis below, and percent on an axis of their own across the same width."""
    percent = {"overlaying": "x", "side": "top", "range": [0, 105], "showticklabels": False}
    figure.update_layout(
        xaxis={"rangemode": "tozero", "showgrid": False, "nticks": 6},
        xaxis2={**percent, "showgrid": False},
        clickmode="event+select",
    )
    return figure.update_yaxes(autorange="reversed", type="category")


def _choose(of: str) -> None:
    """Open the reason whose bar was clicked."""
    points = st.session_state[f"chart-pareto-{of}"].selection.points
    codes = [point["customdata"] for point in points if "customdata" in point]
    if codes:
        code = codes[0]
        st.session_state[CODE] = code[0] if isinstance(code, list) else code


def _reason(here: Visitor, asked: Asked, of: str, found: Sequence[Reason]) -> None:
    counts = {row.code: row for row in found}
    with st.container(border=True, gap="xsmall", key="panel-reason"):
        code = st.selectbox(
            "Reason",
            list(counts),
            index=None,
            placeholder="Choose a reason",
            format_func=in_words,
            key=CODE,
            bind="query-params",
            width=320,
        )
        if code not in counts:
            st.caption("The rows, or runs, of one reason are listed here.")
            return
        reason = counts[str(code)]
        if of == ROWS:
            _rows(here, asked, reason)
        else:
            _runs(here, asked, reason)


def _rows(here: Visitor, asked: Asked, reason: Reason) -> None:
    """Show the failed rows of a reason, and offer all of them as CSV."""
    extent = f"{count(reason.count, 'row')} in {count(reason.runs, 'run')}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(extent, width="content")
        st.space("stretch")
        if here.person.may("export"):
            export = reasons.file(asked.askers, asked.wanted, reason.code)
            panel.offer_export("Download these rows", export, "download-reason")
    table = st.container()
    offset = paging.choose_page("reason", reason.count)
    with db.begin() as connection:
        window = (asked.readers, paging.PAGE_ROWS, offset)
        found = reasons.rows(connection, asked.wanted, reason.code, *window)
    with table:
        _table(asked, found)


def _table(asked: Asked, found: Sequence[FailedRow]) -> None:
    columns = st.column_config
    panel.show_table(
        pd.DataFrame(_row(asked, row) for row in found),
        "rows-of-reason",
        "Failed rows",
        **{
            "Asked for": columns.DatetimeColumn(format=MOMENT_FORMAT),
            "Row": columns.NumberColumn(format="%d", width="small"),
            "Run": columns.NumberColumn(format="%d", width="small"),
            "Reason": columns.TextColumn(width="large"),
        },
    )


def _row(asked: Asked, row: FailedRow) -> dict[str, Hashable]:
    return {
        "Asked for": asked.there(row.at),
        "Table": _entity(row.entity),
        "Row": row.row_number,
        "Name": row.name,
        "Cell": row.cell,
        "Value": row.value,
        "Reason": row.sentence,
        "Key": row.key or "",
        "Run": row.run_id,
    }


def _entity(name: str) -> str:
    known = resources.ENTITIES.get(name)
    return known.title if known else name


def _runs(here: Visitor, asked: Asked, reason: Reason) -> None:
    """Show the newest runs that ended for a reason, and lead to the list of all of them."""
    wanted = replace(asked.wanted, status=FAILED, error=(reason.code,))
    cards.show_list_link(here, replace(asked, wanted=wanted), f"All {count(reason.count, 'run')}")
    found = cached.read(habits.newest, wanted, paging.PAGE_ROWS)
    table = pd.DataFrame(
        {
            "Asked for": asked.there(run.queued_at),
            "Resource": title(run.resource),
            "By": run.requested_by,
            "Message": run.message,
            "Run": run.id,
        }
        for run in found
    )
    columns = st.column_config
    panel.show_table(
        table,
        "runs-of-reason",
        "Failed runs",
        **{
            "Asked for": columns.DatetimeColumn(format=MOMENT_FORMAT),
            "Message": columns.TextColumn(width="large"),
            "Run": columns.NumberColumn(format="%d", width="small"),
        },
    )
    panel.offer_file(here, asked, "Failed runs", table, "runs-of-reason")


def _offenders(here: Visitor, asked: Asked) -> None:
    found = cached.read(reasons.offenders, asked.wanted, asked.readers)
    about = f"Rows that failed in {reasons.AGAIN} runs or more: mend these first."
    with panel.frame("Repeat offenders", about, "offenders"):
        if not found:
            st.caption(":material/task_alt: No row failed that often.")
            return
        table = pd.DataFrame(_offender(asked, row) for row in found)
        columns = st.column_config
        panel.show_table(
            table,
            "offenders",
            "Rows that fail again and again",
            **{
                "First": columns.DatetimeColumn(format=DAY_FORMAT),
                "Last": columns.DatetimeColumn(format=DAY_FORMAT),
                "Latest reason": columns.TextColumn(width="large"),
            },
        )
        if found[0].of > len(found):
            st.caption(f"The first {len(found):,} of {count(found[0].of, 'row')}.")
        panel.offer_file(here, asked, "Repeat offenders", table, "offenders")


def _offender(asked: Asked, row: Offender) -> dict[str, Hashable]:
    return {
        "Name": row.name,
        "Table": _entity(row.entity),
        "Failed in runs": row.runs,
        "First": asked.there(row.since),
        "Last": asked.there(row.until),
        "Latest reason": row.sentence,
    }
