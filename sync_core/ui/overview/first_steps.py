"""The first three steps of an organization that has not synced anything yet."""

from dataclasses import dataclass

import streamlit as st

from sync_core.catalogue import resources
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.overview import sync_all
from sync_core.ui.parts import source_line


@dataclass(frozen=True)
class Step:
    """One step: what it is for, whether it is done, and where."""

    title: str
    about: str
    link: str = ""  # what the link to the sources says; "": it is done on this page
    done: bool = False


def show(here: Visitor, state: RunState) -> None:
    """Show the steps until the first sync; to whom may take none of them, say who does."""
    if state.runs:
        return
    with st.container(border=True, gap="small", key="first-steps"):
        st.markdown("**Three steps to your first sync**")
        if not here.person.may("sync"):
            st.caption(
                "Nothing was synced yet. An analyst of your organization starts the first sync."
            )
            return
        with st.grid(3, min_column_width=140):
            for number, step in enumerate(_steps(here), 1):
                _show(here, number, step)


def _steps(here: Visitor) -> tuple[Step, ...]:
    known = [
        name for name in resources.CATALOGUE if source_line.settings_of(here.organization, name)
    ]
    told = f"{len(known)} of {len(resources.CATALOGUE)} resources have a source."
    return (
        Step(
            "Connect",
            f"Say where each resource is read. {told}",
            "Open sources",
            done=len(known) == len(resources.CATALOGUE),
        ),
        Step("Check", "Read the first rows, and see what a sync would say.", "Check a source"),
        Step("Sync", "Sync all resources that have a source, or one of them on its card."),
    )


def _show(here: Visitor, number: int, step: Step) -> None:
    with st.container(gap="xsmall", key=f"step-{number}"):
        icon = ":green[:material/check_circle:]" if step.done else f":material/counter_{number}:"
        st.markdown(f"{icon} **{step.title}**")
        st.caption(step.about)
        if step.link:
            st.page_link(page_file("sources"), label=step.link, icon=":material/arrow_forward:")
        else:
            st.button(
                "Start the first sync",
                icon=":material/sync:",
                key="start-first-sync",
                on_click=sync_all.start,
                args=(here,),
            )
