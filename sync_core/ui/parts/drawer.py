"""A drawer beside the page, with what the address names; once closed, the address forgets it."""

from collections.abc import Callable, Sequence
from functools import partial, wraps

import streamlit as st

from sync_core.ui.frame import asking, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal

WIDTH = 620  # pixels


def show(
    here: Visitor,
    title: str,
    icon: str,
    content: Callable[[], None],
    named_by: Sequence[str],
) -> None:
    """Open the drawer; it was named by these parameters of the address."""
    look = {"width": WIDTH, "position": "right", "on_dismiss": partial(_forget, named_by)}
    visitor.dialog(here, literal(title), icon, _as_long_as_named(content, named_by), **look)


def _as_long_as_named(content: Callable[[], None], named_by: Sequence[str]) -> Callable[[], None]:
    """Return what draws as long as the address names it; else the page is drawn without it.

    What is pressed in a drawer draws the drawer alone, and a callback may have removed what it is
    about.
    """

    def look() -> None:
        if not any(st.query_params.get(name) for name in named_by):
            st.rerun()
        content()

    return wraps(getattr(content, "func", content))(look)  # Streamlit tells parts apart by it


def _forget(named_by: Sequence[str]) -> None:
    asking.ask_no_more()
    # at once: each change by itself is a step of the browser's Back; empty ones leave the address
    st.query_params.update({name: [] for name in named_by})
