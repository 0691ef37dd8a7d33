"""How a key figure went, as a small shape without axes; a drawing of its own costs no library."""

from collections.abc import Sequence

import streamlit as st

from sync_core.ui.parts.html import render

LOWEST = 88  # percent of the height, from above: the lowest value, too, is seen
GROUND = 96  # likewise of zero, where the shape begins there: as thin as an axis


def show(values: Sequence[float], told: str, *, from_zero: bool) -> None:
    """Draw the shape, which tells its values to who does not see it; of fewer than two is none."""
    if len(values) > 1:
        shape = corners(values, from_zero=from_zero)
        st.html(render("sparkline", corners=shape, told=told))


def corners(values: Sequence[float], *, from_zero: bool = False) -> str:
    """Return the corners of the shape below the values, in percent of its box."""
    low, high = 0 if from_zero else min(values), max(values)
    ground = GROUND if from_zero else LOWEST
    step, scale = 100 / (len(values) - 1), ground / ((high - low) or 1)
    line = (
        f"{index * step:.1f}% {ground - (value - low) * scale:.1f}%"
        for index, value in enumerate(values)
    )
    return ", ".join(["0% 100%", *line, "100% 100%"])
