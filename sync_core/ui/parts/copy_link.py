"""The button that copies the address of what the page shows."""

import streamlit as st

from sync_core.ui import STATIC

_button = st.components.v2.component(
    "copy_link",
    html='<button type="button"><span class="icon" aria-hidden="true">link</span>'
    '<span role="status">Copy link</span></button>',
    css=(STATIC / "copy_link.css").read_text(encoding="utf-8"),
    js=(STATIC / "copy_link.js").read_text(encoding="utf-8"),
)


def offer(address: str) -> None:
    """Show the button; the address is given from the root of the pages."""
    _button(key="copy-link", data=address, width="content")
