"""What somebody saves with a form: it is kept, or a sentence says why not."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sync_core.foundation.errors import SyncError
from sync_core.ui.frame import asking, error_box, run_state, visitor
from sync_core.ui.parts import source_line


def save(
    operation: Callable[[], object],
    chosen_by: Sequence[str] = (),
    beside: Mapping[str, DeltaGenerator] | None = None,
) -> None:
    """Run the operation and draw the page anew, or show the sentence of its SyncError.

    A drawer closes: that which these parameters of the address name. The sentence is shown in the
    place `beside` a field where the code of the error names one.
    """
    try:
        operation()
    except SyncError as error:
        with (beside or {}).get(error.code) or st.container():
            error_box.show_sentence(error)
        return
    asking.close()
    for name in chosen_by:
        st.query_params.pop(name, None)
    visitor.forget()
    source_line.forget()
    run_state.read.clear()
    st.toast("Saved.", icon=":material/check:")
    st.rerun()
