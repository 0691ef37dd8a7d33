"""The part of Help about sources: how CSV files may be written, where headers stand, uploads."""

import streamlit as st

from sync_core.catalogue.header_row import LOOKED_AT
from sync_core.foundation import settings
from sync_core.sources.files.row_shape import SEPARATORS
from sync_core.ui.resources import file_sync

NAMES = {"\t": "a tab"}  # of separators that nobody sees
CSV = """
The separator is found by the header: {separators}, whichever splits it into the most known
columns. A first line such as `sep=;` may name another one. The characters are UTF-8, or UTF-16
with its mark, or what a server says that they are; any other file is refused with a sentence.
"""
HEADER = """
The **header** is the row with the labels of the columns. Titles may be above it: it
is looked for in the first {rows} rows, by the labels, and a note says where it was found if that
is not the first row. An administrator can set its row on the page *Sources*. Columns may be in
any order; unknown ones are left out.
"""
UPLOAD = """
**From a file**, on a resource's page, syncs a file of yours instead of the source:
this once, and the source that is set stays as it is. The file ends in {types}, and is not larger
than {limit} MB. It is kept until its sync has ended; its name and its SHA-256 stay with the run.
*Preview first* shows the plan before anything changes.
"""


def show() -> None:
    """Show what holds for files, headers and uploads."""
    st.header("CSV files", anchor=False)
    separators = [NAMES.get(mark, f"`{mark}`") for mark in SEPARATORS]
    st.markdown(CSV.format(separators=_or(separators)))
    st.header("The header row", anchor=False)
    st.markdown(HEADER.format(rows=LOOKED_AT))
    st.header("Uploads", anchor=False)
    types = _or([f"`.{ending}`" for ending in file_sync.TYPES])
    st.markdown(UPLOAD.format(types=types, limit=settings.current().upload_limit))


def _or(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
