"""Links to files, which the routes beside the pages send as streams."""

import streamlit as st

from sync_core.ui.parts.html import render


def offer(label: str, address: str) -> None:
    """Show a link that looks like a button, and downloads the file."""
    st.html(render("file_link", address=address, label=label), width="content")
