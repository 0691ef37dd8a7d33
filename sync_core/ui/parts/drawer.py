"""A drawer beside the page, with what the address names; once closed, the address forgets it."""

from collections.abc import Callable, Sequence
from functools import partial

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
    visitor.dialog(here, literal(title), icon, content, **look)


def _forget(named_by: Sequence[str]) -> None:
    asking.ask_no_more()
    for name in named_by:
        st.query_params.pop(name, None)
