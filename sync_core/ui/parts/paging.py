"""What every long list needs: its pages, and a kind word where it is empty."""

import streamlit as st

SCREEN = 50  # rows
ROW_HEIGHT = 34  # pixels


def height(rows: int) -> int:
    """Return the height of a table that shows all of these rows, in pixels."""
    return ROW_HEIGHT * (rows + 1)


def turn(key: str, total: int) -> int:
    """Show where in the whole the screen is, and let the visitor turn pages; returns the offset."""
    last = -(-total // SCREEN)
    with st.container(horizontal=True, vertical_alignment="center", key=f"pages-{key}"):
        told = st.empty()
        st.space("stretch")
        page = st.pagination(last, key=f"page-{key}") if last > 1 else 1
    offset = (page - 1) * SCREEN
    noun = "row" if total == 1 else "rows"
    until = min(offset + SCREEN, total)
    told.caption(f"{offset + 1:,} to {until:,} of {total:,} {noun}", width="content")
    return offset


def say_empty(icon: str, what: str, more: str = "") -> None:
    """Say that there is nothing, and why."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f"{icon} **{what}**", width="content")
        if more:
            st.caption(more, width="content", text_alignment="center")
        st.space("small")
