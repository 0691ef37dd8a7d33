"""A table of figures as people read it: in words, the newest first, without columns of nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from pandas.api.types import is_numeric_dtype
from pandas.io.formats.style import Styler

from sync_core.ui.analytics import numbers
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import calendar_day, listed, moment

MAX_VISIBLE_ROWS = 12  # without scrolling
SECONDS = " (s)"  # ends the title of a column of seconds in a file; people read durations
SHARES = frozenset({"Success", "Kept"})  # columns of parts of a whole, 0 to 1
NUMBERS_OF_RUNS = "Run"  # a column of them: they name runs, and count nothing


def show(table: pd.DataFrame, zone: ZoneInfo, key: str, alt: str) -> None:
    """Show a table with times of the zone; what does not fit is scrolled to."""
    left_out = empty_columns(table)
    shown = table.drop(columns=left_out)
    st.dataframe(
        in_words(shown, zone),
        hide_index=True,
        height=paging.height(min(len(shown), MAX_VISIBLE_ROWS)),
        row_height=paging.ROW_PIXELS,
        key=key,
        alt=alt,
    )
    if left_out:
        st.caption(f"Left out, as they are 0 throughout: {listed(left_out)}.")


def empty_columns(table: pd.DataFrame) -> list[str]:
    """Return the titles of the columns of numbers that hold nothing but 0."""
    return [
        str(title)
        for title, column in table.items()
        if is_numeric_dtype(column.dtype) and (column == 0).all()
    ]


def in_words(table: pd.DataFrame, zone: ZoneInfo) -> Styler:
    """Return the table as people read it; a click on a header sorts by what stands behind."""
    first = table.columns[0]
    if _is_time(table[first]):
        table = table.sort_values(first, ascending=False, kind="stable")
    titles = {title: str(title).removesuffix(SECONDS) for title in table.columns}
    forms: dict[Any, Any] = {titles[title]: _form(table[title], zone) for title in table.columns}
    found = table.rename(columns=titles).reset_index(drop=True)
    return found.style.format(forms, na_rep=numbers.NONE)


def _is_time(column: "pd.Series[Any]") -> bool:
    return isinstance(column.dtype, pd.DatetimeTZDtype)


def _form(column: "pd.Series[Any]", zone: ZoneInfo) -> Callable[..., str]:
    """Return what tells one value of a column in words."""
    title = str(column.name)
    if _is_time(column):
        return _time(column, zone)
    if title.endswith(SECONDS):
        return numbers.seconds
    if title in SHARES:
        return numbers.percent
    return "{:,}".format if is_numeric_dtype(column.dtype) and title != NUMBERS_OF_RUNS else str


def _time(column: "pd.Series[Any]", zone: ZoneInfo) -> Callable[..., str]:
    """Return what tells a time: as a day, where all of them are midnights of the zone."""
    local = column.dt.tz_convert(zone)
    if (local == local.dt.normalize()).all():
        return lambda at: calendar_day(at.astimezone(zone).date())
    return partial(moment, zone=zone)
