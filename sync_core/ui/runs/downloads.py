"""Links to files, which the routes beside the pages send as streams."""

from html import escape

import streamlit as st


def offer(label: str, address: str) -> None:
    """Show a link that looks like a button, and downloads the file."""
    link = f'<a class="file" href="{escape(address)}" download>{escape(label)}</a>'
    st.html(link, width="content")
