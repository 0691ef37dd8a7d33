"""The plan of a preview where it was started: it opens there by itself once it waits."""

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.operations import syncs
from sync_core.runs import Run, run_number
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.runs import plan_section, sync_button

PREVIEW = "preview"  # in the address of a resource: the run whose plan opens there once it waits
ROW = "planned"  # in the address: the row of the plan that is opened


def start(here: Visitor, name: str) -> None:
    """Start a preview of a resource, whose page shows its plan once that is made."""
    if run := sync_button.ask(here, name, syncs.preview):
        await_plan(run)


def await_plan(run: Run) -> None:
    """Open the plan of a run that was just started on its page, whenever it waits."""
    st.query_params[PREVIEW] = str(run.id)


def show(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show the plan that is awaited, where it waits for a decision."""
    awaited = run_number.read(st.query_params.get(PREVIEW, ""))
    place = st.container(key=f"opened-plan-{resource.name}")  # always: else what is below is new,
    for run in state.plans_of(resource.name):  # and who types there loses the focus
        if run.id == awaited:
            with place:
                plan_section.show(here, run, ROW)
