"""The head of a page: its title, and at the right of it what can be done there."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def show(title: str, icon: str) -> DeltaGenerator:
    """Show the title of a page, at the same height on each; returns the row that it stands in."""
    head = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="head")
    head.title(title, icon=icon, anchor=False, width="content")
    return head
