"""A choice of one that stays in the address by its name, where its words may change."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st


def show(
    label: str,
    words: Mapping[str, str],
    key: str,
    name: str = "",
    *,
    placeholder: str = "Any",
    icon: str | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> str | None:
    """Show a choice, which begins as the address says, and is kept in it under its key or name."""
    name = name or key
    asked = st.query_params.get(name)
    if key not in st.session_state and asked in words:
        st.session_state[key] = asked
    return st.selectbox(
        label,
        list(words),
        index=None,
        format_func=words.__getitem__,
        placeholder=placeholder,
        icon=icon,
        key=key,
        width=width,
        on_change=_keep,
        args=(key, name),
    )


def _keep(key: str, name: str) -> None:
    if chosen := st.session_state[key]:
        st.query_params[name] = chosen
    else:
        st.query_params.pop(name, None)
