"""The button that copies the address of what the page shows, or a text."""

import streamlit as st

from sync_core.ui import STATIC

_button = st.components.v2.component(
    "copy_link",
    html='<button type="button"><span class="icon" aria-hidden="true"></span>'
    '<span role="status"></span></button>',
    css=(STATIC / "copy_link.css").read_text(encoding="utf-8"),
    js=(STATIC / "copy_link.js").read_text(encoding="utf-8"),
)


def offer(address: str) -> None:
    """Show the button; the address is given from the root of the pages."""
    data = {"address": address, "label": "Copy link", "icon": "link"}
    _button(key="copy-link", data=data, width="content")


def offer_text(label: str, text: str, *, key: str) -> None:
    """Show a button of this label, which copies the text."""
    data = {"text": text, "label": label, "icon": "content_copy"}
    _button(key=key, data=data, width="content")
