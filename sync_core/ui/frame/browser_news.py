"""The browser's own notifications: where the tab is in the background and its person allowed it."""

from collections.abc import Sequence

import streamlit as st

from sync_core.ui import STATIC

NEWS = "browser-news"  # session key: what is told until the page is drawn anew

_tell = st.components.v2.component(
    "browser_news", js=(STATIC / "browser_news.js").read_text(encoding="utf-8")
)
_ask = st.components.v2.component(
    "browser_permission",
    html='<p role="status"></p><button type="button" hidden>Tell me in this browser</button>',
    css=(STATIC / "browser_permission.css").read_text(encoding="utf-8"),
    js=(STATIC / "browser_permission.js").read_text(encoding="utf-8"),
)


def begin() -> None:
    """Forget what was told: a new draw of the page begins."""
    st.session_state[NEWS] = []


def add(news: Sequence[tuple[str, str, str]]) -> None:
    """Tell these, each a title, a text and an address; a poll must show again what is to stay."""
    st.session_state[NEWS] += [
        {"title": title, "text": text, "address": address} for title, text, address in news
    ]
    if st.session_state[NEWS]:
        _tell(key=NEWS, data=st.session_state[NEWS], height=0)


def ask() -> None:
    """Offer to allow it, and say how it is."""
    _ask(key="browser-permission")
