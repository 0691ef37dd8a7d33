"""A change that somebody asks for in a form: it is made, or a sentence says why not."""

from collections.abc import Callable

import streamlit as st

from sync_core.errors import SyncError
from sync_core.ui import news, source_line, visitor
from sync_core.ui.words import literal


def make(change: Callable[[], object]) -> None:
    """Make the change and show the page anew, or say why not."""
    try:
        change()
    except SyncError as error:
        st.error(literal(error.advice), title=literal(error.sentence), icon=":material/error:")
        return
    visitor.forget()
    source_line.forget()
    news.read.clear()
    st.toast("Saved.", icon=":material/check:")
    st.rerun()
