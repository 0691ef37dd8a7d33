"""Why runs and rows failed: by code, then the rows themselves; and which fail again and again."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from itertools import accumulate
from textwrap import wrap

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.analytics import reasons
from sync_core.analytics.reasons import FailedRow, Offender, Reason
from sync_core.catalogue import reason_words, resources
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import FAILED
from sync_core.records.privacy import MASK
from sync_core.ui.analytics import cached, drawing, failed_runs, failing_resources, panel
from sync_core.ui.analytics.period import Asked
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import figures, paging, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import day, moment
from sync_core.ui.runs import failures_list, history_tab, outcome_filter, outcome_words

ROWS, RUNS = "Rows", "Runs"
MAX_BARS = 12
ROOM_FOR_NUMBERS = 1.2  # of the longest bar, so that its number stands beside it
CODE = "code"  # of the reason that is opened, in the address


def show(here: Visitor, asked: Asked) -> None:
    """Show the tab."""
    failing_resources.show(here, asked)
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
    if not found:
        _pareto(here, asked, str(of), found)
    else:
        bars, behind = st.columns([2, 3])
        with bars:
            _pareto(here, asked, str(of), found)
        with behind:
            _reason(here, asked, str(of), found)
    _offenders(here, asked)


def _pareto(here: Visitor, asked: Asked, of: str, found: Sequence[Reason]) -> None:
    name = f"Why {of.lower()} failed"
    with panel.frame(name, "Choose a bar to see what is behind it.", "pareto"):
        if not found:
            panel.show_nothing()
            return
        st.plotly_chart(
            figures.in_small(pareto(of, found)),
            config=panel.CHART_CONFIG,
            key=f"chart-pareto-{of}",
            alt=name,
            on_select=partial(_choose, of),
            selection_mode="points",
        )
        table = pd.DataFrame(
            {
                "Reason": reason_words.of_code(row.code),
                f"Failed {of.lower()}": row.count,
                "In runs": row.runs,
            }
            for row in found
        )
        panel.offer_tables(here, asked, "pareto", {f"Reasons of {of.lower()}": table})


def pareto(of: str, found: Sequence[Reason]) -> go.Figure:
    """Draw the most frequent reasons, and what part of all they make up together."""
    some, total = found[:MAX_BARS], sum(row.count for row in found)
    codes, names = [row.code for row in some], [reason_words.of_code(row.code) for row in some]
    counts = [row.count for row in some]
    figure = go.Figure()
    figure.add_bar(
        name=f"Failed {of.lower()}",
        orientation="h",
        y=codes,
        x=counts,
        customdata=codes,
        hovertext=[escape(name) for name in names],
        text=[f"{number:,}" for number in counts],
        textposition="outside",
        textfont=figures.SMALL,
        marker={"color": drawing.KIND_COLORS["failed"], "line": {"width": 0}},
        hovertemplate="%{hovertext}: %{x:,}<extra></extra>",
    )
    figure.add_scatter(
        name="Together, of all",
        y=codes,
        x=[100 * part / total for part in accumulate(counts)],
        xaxis="x2",
        mode="lines",
        line={"color": figures.GREY, "width": 1.5},
        hovertemplate="%{x:.0f}% of all<extra></extra>",
    )
    figure.update_yaxes(tickvals=codes, ticktext=[_wrapped(name) for name in names])
    return _axes(drawing.tidy(figure, 110 + 34 * len(some), legend=False), of, max(counts))


def _wrapped(name: str) -> str:
    """Return a label of two lines at most, whose whole text the hover tells."""
    return "<br>".join(escape(line) for line in wrap(name, 26, max_lines=2, placeholder=" …"))


def _axes(figure: go.Figure, of: str, most: int) -> go.Figure:
    """Put counts on the axis below, and percent on an axis of their own across the same width.

    Each axis is as long as what it holds, and the bars' numbers fit beside them.
    """
    figure.update_layout(
        xaxis={
            "title": f"Failed {of.lower()}, as bars",
            "range": [0, most * ROOM_FOR_NUMBERS],
            "showgrid": False,
            "nticks": 5,
            "tickformat": ",d",
        },
        xaxis2={
            "title": "Together, of all, as a line",
            "overlaying": "x",
            "side": "top",
            "range": [0, 100 * ROOM_FOR_NUMBERS],
            "showgrid": False,
            "tickvals": [0, 50, 100],
            "ticktext": ["0%", "50%", "100%"],
        },
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
            format_func=reason_words.of_code,
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
            wanted = replace(asked.wanted, status=FAILED, error=(reason.code,))
            failed_runs.show(here, asked, wanted, reason.count, "runs-of-reason")


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
    with db.within(*asked.wanted.organizations) as connection:
        window = (asked.readers, paging.PAGE_ROWS, offset)
        found = reasons.rows(connection, asked.wanted, reason.code, *window)
    with table:
        _table(here, asked, found)


def _table(here: Visitor, asked: Asked, found: Sequence[FailedRow]) -> None:
    """Show failed rows; each opens in its run."""
    columns = (
        Column("Name", "named"),
        Column("Value"),
        Column("Reason", "wide first"),
        Column("Cell", "brief"),
        Column("Requested", "brief"),
        Column("Run", "number"),
    )
    rows = [Row(f"{row.run_id}", _cells(asked, row)) for row in found]
    alt = "Failed rows"
    opened = row_table.show(Table(columns, rows, cards=True), key="rows-of-reason", alt=alt)
    if opened is not None:
        history_tab.open_run(here, int(opened))


def _cells(asked: Asked, row: FailedRow) -> Sequence[Cell]:
    return (
        Cell(outcome_words.open_text(row.name) or outcome_words.open_text(row.key)),
        Cell("Hidden" if row.value == MASK else row.value or ""),
        Cell(row.sentence),
        Cell(row.cell or (f"Row {row.row_number:,}" if row.row_number else "")),
        Cell(moment(row.at, asked.zone)),
        Cell(f"{row.run_id}"),
    )


def _entity(name: str) -> str:
    known = resources.ENTITIES.get(name)
    return known.title if known else name


def _offenders(here: Visitor, asked: Asked) -> None:
    found = cached.read(reasons.offenders, asked.wanted, asked.readers)
    about = f"Rows that failed in {reasons.AGAIN} runs or more; those that still fail come first."
    about += " A row opens where it failed last."
    with panel.frame("Rows that keep failing", about, "offenders"):
        if not found:
            st.caption(":material/task_alt: No row failed that often.")
            return
        table = pd.DataFrame(_offender(asked, row) for row in found)
        columns = (
            Column("Name", "named"),
            Column("Latest reason", "wide first"),
            Column("Now", "brief"),
            Column("Failed in runs", "number"),
            Column("First", "brief"),
            Column("Last", "brief"),
            Column("Table"),
        )
        rows = [Row(_place(row), _cells_of_offender(asked, row)) for row in found]
        alt = "Rows that fail again and again"
        opened = row_table.show(Table(columns, rows, cards=True), key="offenders", alt=alt)
        if found[0].of > len(found):
            st.caption(f"The first {len(found):,} of {count(found[0].of, 'row')}.")
        panel.offer_file(here, asked, "Rows that keep failing", table, "offenders")
    if opened is not None:
        run_id, _, failure = opened.partition(":")
        history_tab.open_run(here, int(run_id), **{failures_list.ROW: failure})


def _place(row: Offender) -> str:
    """Return where a row failed last: the run, the table, and the row there; "" if not known."""
    return f"{row.run_id}:{row.entity}:{row.row_number}" if row.row_number else ""


def _cells_of_offender(asked: Asked, row: Offender) -> Sequence[Cell]:
    return (
        Cell(outcome_words.open_text(row.name)),
        Cell(outcome_filter.titled(row.field, row.code)),
        Cell(_now(row), "badge red" if row.still else "badge green", _now_icon(row)),
        Cell(f"{row.runs:,}"),
        Cell(day(row.since, asked.zone)),
        Cell(day(row.until, asked.zone)),
        Cell(_entity(row.entity)),
    )


def _offender(asked: Asked, row: Offender) -> dict[str, Hashable]:
    return {
        "Name": row.name,
        "Table": _entity(row.entity),
        "Failed in runs": row.runs,
        "First": asked.there(row.since),
        "Last": asked.there(row.until),
        "Latest reason": outcome_filter.titled(row.field, row.code),
        "Problem": row.sentence,
        "Now": _now(row),
    }


def _now(row: Offender) -> str:
    """Return whether a row failed in the last run that was applied; it may have gone since."""
    return "Still fails" if row.still else "No longer fails"


def _now_icon(row: Offender) -> str:
    return "error" if row.still else "check_circle"
