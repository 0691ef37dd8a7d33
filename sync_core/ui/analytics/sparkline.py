"""How a key figure went, as a small shape without axes; a drawing of its own costs no library."""

from collections.abc import Sequence

import streamlit as st

from sync_core.ui.parts.html import render

LOWEST = 88  # percent of the height, from above: the lowest value, too, is seen


def show(values: Sequence[float]) -> None:
    """Draw the shape; of fewer than two values there is none."""
    if len(values) > 1:
        st.html(render("sparkline", corners=corners(values)))


def corners(values: Sequence[float]) -> str:
    """Return the corners of the shape below the values, in percent of its box."""
    low, high = min(values), max(values)
    step, scale = 100 / (len(values) - 1), LOWEST / ((high - low) or 1)
    line = (
        f"{index * step:.1f}% {LOWEST - (value - low) * scale:.1f}%"
        for index, value in enumerate(values)
    )
    return ", ".join(["0% 100%", *line, "100% 100%"])
