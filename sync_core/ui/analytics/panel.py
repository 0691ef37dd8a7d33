"""A panel: a title, a chart that says what it shows, and below it the table and its CSV."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.api import prepared
from sync_core.audit import exports
from sync_core.audit.exports import Export
from sync_core.foundation import csv_writer
from sync_core.ui.analytics import behind
from sync_core.ui.analytics import table as figures_table
from sync_core.ui.analytics.period import Asked
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import figures
from sync_core.ui.runs import downloads

CHART_CONFIG = {"displayModeBar": False, "scrollZoom": False}
Tables = Mapping[str, pd.DataFrame]


@contextmanager
def frame(title: str, about: str, key: str) -> Iterator[None]:
    """Draw the border and the title of a panel."""
    with st.container(border=True, height="stretch", gap="xsmall", key=f"panel-{key}"):
        st.markdown(f"**{title}**")
        if about:
            st.caption(about)
        yield


def draw(figure: go.Figure, title: str, key: str) -> None:
    """Draw a chart in the colours of the theme; what has runs behind it can be clicked."""
    figures.in_small(figure)
    if all(trace.customdata is None for trace in figure.data):
        st.plotly_chart(figure, config=CHART_CONFIG, key=f"chart-{key}", alt=title)
        return
    name = f"chart-{key}-{st.session_state.get(behind.turns(f'chart-{key}-'), 0)}"
    st.plotly_chart(
        figure,
        config=CHART_CONFIG,
        key=name,
        alt=f"{title}; a click lists the runs behind it",
        on_select=partial(behind.remember, name),
        selection_mode="points",
    )


def show(
    here: Visitor,
    asked: Asked,
    title: str,
    key: str,
    figure: go.Figure,
    tables: Tables,
    about: str = "",
) -> None:
    """Show a chart with its tables, or say that there is nothing to draw."""
    with frame(title, about, key):
        if all(table.empty for table in tables.values()):
            show_nothing()
            return
        draw(figure, title, key)
        offer_tables(here, asked, key, tables)


def show_nothing() -> None:
    """Show that the period holds nothing of it."""
    st.caption(":material/trending_flat: Nothing in this period.")


def offer_tables(here: Visitor, asked: Asked, key: str, tables: Tables) -> None:
    """Show the figures as tables and as CSV; they cost nothing until they are opened."""
    st.space("stretch")
    below = st.expander(
        "Table and CSV", icon=":material/table:", key=f"table-of-{key}", on_change="rerun"
    )
    if not below.open:
        return
    with below:
        for name, table in tables.items():
            figures_table.show(table, asked.zone, f"frame-{key}-{name}", name)
            offer_file(here, asked, name, table, f"{key}-{name}")


def offer_file(here: Visitor, asked: Asked, name: str, table: pd.DataFrame, key: str) -> None:
    """Show the download of a table as CSV to those who may export."""
    if here.person.may("export"):
        export = exports.figures(asked.askers, asked.wanted, name, *cells(table))
        offer_export(f"Download {name.lower()}", export, f"download-{key}")


def offer_export(label: str, export: Export, key: str) -> None:
    """Show the download of a file; it is written, and recorded, by a click."""
    with st.container(key=key):
        downloads.offer(label, prepared.keep(export, key))


def cells(table: pd.DataFrame) -> tuple[list[str], list[list[object]]]:
    """Return the titles and the rows of a table for a file.

    Times are ISO in UTC, as their titles say; what is not is None.
    """
    titles = [
        csv_writer.utc(str(title)) if isinstance(kind, pd.DatetimeTZDtype) else str(title)
        for title, kind in table.dtypes.items()
    ]
    rows: Sequence[Sequence[object]] = table.astype(object).to_numpy().tolist()
    return titles, [[_cell(value) for value in row] for row in rows]


def _cell(value: object) -> object:
    if pd.isna(value):  # type: ignore[call-overload] # a cell is one value
        return None
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    return value
