"""The rows that somebody has to mend, as they fail now, and those that a rule left out."""

from collections.abc import Sequence

import streamlit as st

from sync_core.api import addresses
from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import LEFT_OUT, OutcomeKind
from sync_core.runs import Run
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.runs import downloads, outcome_table, reasons_list, retry_button, run_view

WHAT_TO_DO = "Mend failed rows in the source, then sync again. Skipped rows are left out by a rule."


def show(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show the rows of the last sync; those that were tried again since, as they ended then."""
    run, retry = state.fresh.get(resource.name), state.retries.get(resource.name)
    before = run_view.kinds_present(state.counts(run), LEFT_OUT)
    now = run_view.kinds_present(state.counts(retry), LEFT_OUT)
    if run and retry:
        st.caption(f":material/build: {_tried_again(run, retry, state)}")
        before = [kind for kind in before if kind != OutcomeKind.FAILED]
    if run is None or not (before or now):
        more = "Rows that fail, or that a rule leaves out, are listed here with their reasons."
        paging.show_empty(":material/task_alt:", "No row needs a person.", more)
        return
    if retry and now:
        _show(here, retry, now)
    if before:
        _show(here, run, before)


def _tried_again(run: Run, retry: Run, state: RunState) -> str:
    failed, fails = (
        sum(tally[OutcomeKind.FAILED] for tally in state.counts(one).values())
        for one in (run, retry)
    )
    still = "none fails any more" if not fails else f"{fails:,} still failed"
    return (
        f"{count(failed, 'row')} failed in run {run.id}. They were tried again in run {retry.id}:"
        f" {still}."
    )


def _show(here: Visitor, run: Run, kinds: Sequence[str]) -> None:
    run_view.show_headline(here, run)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(WHAT_TO_DO, width="content")
        st.space("stretch")
        if OutcomeKind.FAILED in kinds:
            retry_button.offer(here, run)
        if here.person.may("sync") or here.person.may("export"):
            rejects = addresses.of_rejects(run.id, here.organization.slug)
            downloads.offer("Download these rows", rejects)
    reasons_list.show(run, kinds)
    outcome_table.show(here, run, kinds, f"person-{run.id}")
