"""Whether there is a worker that would take a sync."""

import streamlit as st

from sync_core.execution import queue


@st.cache_resource(ttl=5, show_spinner=False)
def problem() -> str | None:
    """Return why no worker would take a sync; None where one would."""
    return queue.problem()
