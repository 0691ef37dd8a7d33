"""What every long list needs: its pages, and a sentence where it is empty."""

import zlib
from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st

from sync_core.foundation.counting import count

PAGE_ROWS = 50
ROW_PIXELS = 34


def height(rows: int) -> int:
    """Return the height of a table that shows all of these rows, in pixels."""
    return ROW_PIXELS * (rows + 1)


def choose_page(key: str, total: int, noun: str = "row", asked: object = None) -> int:
    """Show which rows are seen, and the pages to choose from; returns the offset of the page.

    Whatever else is `asked` for begins at its first page.
    """
    last = -(-total // PAGE_ROWS)
    with st.container(horizontal=True, vertical_alignment="center", key=f"pages-{key}"):
        caption = st.empty()
        st.space("stretch")
        name = f"page-{key}-{_mark(asked)}" if asked else f"page-{key}"
        page = st.pagination(last, key=name, bind="query-params") if last > 1 else 1
    offset = (page - 1) * PAGE_ROWS
    until = min(offset + PAGE_ROWS, total)
    caption.caption(f"{offset + 1:,} to {until:,} of {count(total, noun)}", width="content")
    return offset


def _mark(asked: object) -> str:
    return f"{zlib.crc32(repr(asked).encode()):x}"


def show_no_match(
    key: str, clear: Callable[[], None], more: str = "", *, what: str = "Nothing matches."
) -> None:
    """Show that a filter, or a search, finds nothing, and the button that clears them."""
    show_empty(":material/search_off:", what, more, partial(_clear_button, key, clear))


def _clear_button(key: str, clear: Callable[[], None]) -> None:
    st.button(
        "Clear search and filters",
        icon=":material/filter_list_off:",
        key=f"clear-{key}",
        on_click=clear,
    )


def blank(names: Iterable[str]) -> None:
    """Empty the widgets of these keys; what is bound to the address goes from it, too."""
    for name in names:
        if name in st.session_state:
            st.session_state[name] = [] if isinstance(st.session_state[name], list) else None


def show_empty(
    icon: str, what: str, more: str = "", button: Callable[[], None] | None = None
) -> None:
    """Show that there is nothing, why, and the button that ends it, where there is one."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f"{icon} **{what}**", width="content")
        if more:
            st.caption(more, width="content", text_alignment="center")
        if button:
            button()
        st.space("small")
