"""Whether anybody is there who would work on a sync."""

import streamlit as st
from redis import RedisError

from sync_core.execution import queue


@st.cache_resource(ttl=5, show_spinner=False)
def problem() -> str | None:
    """Say what is wrong where nobody would work on a sync."""
    try:
        alive = queue.workers()
    except RedisError:
        return "Redis does not answer: syncs wait until it does."
    return None if alive else "No worker is alive: syncs wait until one is started."
