"""The guards of a resource, in the form of its rules: what is suspicious, and from when on."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sync_core.foundation.vocabulary import GuardKind
from sync_core.organizations.policies import Guards, Threshold
from sync_core.ui.runs.guard_list import LABELS


def show(form: DeltaGenerator, resource: str, guards: Guards) -> Guards:
    """Show the guards; returns those that are chosen."""
    with form.expander("Guards", icon=":material/front_hand:"):
        st.caption(
            "A sync waits for approval when a plan holds more rows than this and a larger share"
            " than this. Untick a guard to turn it off."
        )
        return Guards(**{kind: _guard(resource, kind, guards) for kind in GuardKind})


def _guard(resource: str, kind: GuardKind, guards: Guards) -> Any:  # noqa: ANN401 - a threshold, or whether it is on
    chosen, usual = getattr(guards, kind), getattr(Guards(), kind)
    key = f"{kind}-{resource}"
    with st.container(horizontal=True, vertical_alignment="center"):
        label = LABELS[kind]
        told = f"{label} :gray[(usually {usual})]" if isinstance(usual, Threshold) else label
        on = st.checkbox(told, value=bool(chosen), key=f"guard-{key}", width="stretch")
        if not isinstance(usual, Threshold):
            return on
        now = chosen or usual
        rows = _number("Rows", label, f"guard-rows-{key}", now.rows, 1_000_000_000)
        percent = _number("Percent", label, f"guard-percent-{key}", now.percent, 100)
    return Threshold(rows, percent) if on else None


def _number(what: str, guard: str, key: str, value: int, most: int) -> int:
    return int(
        st.number_input(
            f"{what}: {guard}",
            min_value=0,
            max_value=most,
            value=value,
            key=key,
            label_visibility="collapsed",
            icon=":material/percent:" if what == "Percent" else ":material/table_rows:",
            width=140,
        )
    )
