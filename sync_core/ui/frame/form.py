"""What somebody saves with a form: it is kept, or a sentence says why not."""

from collections.abc import Callable

import streamlit as st

from sync_core.foundation.errors import SyncError
from sync_core.ui.frame import error_box, run_state, visitor
from sync_core.ui.parts import source_line


def save(operation: Callable[[], object]) -> None:
    """Run the operation and draw the page anew, or show the sentence of its SyncError."""
    try:
        operation()
    except SyncError as error:
        error_box.show_sentence(error)
        return
    visitor.forget()
    source_line.forget()
    run_state.read.clear()
    st.toast("Saved.", icon=":material/check:")
    st.rerun()
