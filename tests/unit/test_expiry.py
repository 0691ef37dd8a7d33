"""What is kept for pages and expires just as it is read is made anew."""

from itertools import chain, repeat
from typing import Any

import streamlit as st

import sync_core.ui  # noqa: F401 - with the pages comes how what they keep expires


def test_what_expires_between_a_look_and_its_reading_is_made_anew() -> None:
    made = []

    @st.cache_resource(ttl=5, show_spinner=False)
    def kept() -> int:
        made.append(1)
        return len(made)

    assert (kept(), kept()) == (1, 1)
    inner: Any = kept
    cache = inner._info.get_function_cache(inner._function_key)._mem_cache  # noqa: SLF001
    now = cache.timer()
    times = chain([now], repeat(now + 6))  # the look is in time, the reading is not
    cache._timer = lambda: next(times)  # noqa: SLF001
    assert kept() == 2
