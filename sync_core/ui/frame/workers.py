"""Whether there is a worker that would take a sync."""

import streamlit as st
from redis import RedisError

from sync_core.execution import queue


@st.cache_resource(ttl=5, show_spinner=False)
def problem() -> str | None:
    """Return why no worker would take a sync; None where one would."""
    try:
        alive = queue.workers()
    except RedisError:
        return "Redis does not answer: syncs wait until it does."
    return None if alive else "No worker is alive: syncs wait until one is started."
