"""The rows that were left out: those that failed, as they fail now, and those that were skipped."""

import streamlit as st

from sync_core.api import addresses
from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.runs import Run, run_address
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import literal, look, moment
from sync_core.ui.runs import (
    downloads,
    failures_list,
    first_sync,
    notice,
    outcome_table,
    reasons_list,
    retry_button,
    run_view,
)

WHAT_TO_DO = "Fix these cells in the source, then sync again."
FAILED_AS_A_WHOLE = "The last sync failed as a whole. Nothing of it was applied."
SKIPPED = "A rule leaves these rows out. There is nothing to fix."


def show_failed(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show what fails of the last sync; where it was tried again since, what failed then."""
    run, retry = state.fresh.get(resource.name), state.last_retry(resource.name)
    if run and retry:
        st.caption(f":material/build: {_tried_again(run, retry, state)}")
    now = state.last_judged(resource.name)
    none = now is None or not _has(state, now, OutcomeKind.FAILED)
    as_a_whole = state.last_failure(resource.name)
    if as_a_whole:
        _tell_of_failure(here, as_a_whole)
    more = "No row failed in it." if none and as_a_whole else ""
    _tell_of_which_run(here, now, state.runs.get(resource.name), more)
    if now is None or none:
        if now is None or not as_a_whole:
            _show_none(here, resource, state, now)
        return
    _head(here, now, WHAT_TO_DO, OutcomeKind.FAILED)
    failures_list.show(here, now, "failed")


def _tell_of_failure(here: Visitor, run: Run) -> None:
    """Say that the last sync failed, so that no row of it was judged, and lead to it."""
    why = " ".join(part for part in (run.message, notice.advice(here, run)) if part)
    st.error(literal(why), title=FAILED_AS_A_WHOLE, icon=":material/error:")
    with st.container(key="card-failed-run"):  # in line with what is below
        st.page_link(
            page_file(run_address.PAGE),
            label=f"Open run {run.id}",
            icon=":material/arrow_outward:",
            query_params=run_address.parameters(here.organization.slug, run.id),
        )


def _show_none(here: Visitor, resource: Resource, state: RunState, now: Run | None) -> None:
    """Say that no row fails, or that none was judged yet."""
    icon, empty = ":material/task_alt:", "No row needs attention."
    if now is None:
        empty = "Nothing needs attention."
        if resource.name in state.runs:
            icon, empty = ":material/step_over:", "No row was synced yet."
    more = "Rows that fail are listed here, with what is wrong and how to fix it."
    button = None if now else first_sync.of(here, resource, state)
    paging.show_empty(icon, empty, more, button)


def show_skipped(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show the rows of the last sync that a rule left out."""
    run = state.fresh.get(resource.name)
    if run is None or not _has(state, run, OutcomeKind.SKIPPED):
        more = "Rows that a rule leaves out are listed here, with the name of the rule."
        button = None if run else first_sync.of(here, resource, state)
        paging.show_empty(":material/step_over:", "No row was skipped.", more, button)
        return
    _head(here, run, SKIPPED, OutcomeKind.SKIPPED)
    reasons_list.show(run, (OutcomeKind.SKIPPED,))
    outcome_table.show(here, run, (OutcomeKind.SKIPPED,), "skipped")


def _tell_of_which_run(
    here: Visitor, judged: Run | None, latest: Run | None, more: str = ""
) -> None:
    """Say of which run the rows are, where that is not the latest one."""
    if judged is None or judged.finished_at is None or latest is None or latest.id == judged.id:
        return
    when, word = moment(judged.finished_at, here.zone), look(latest).word
    parts = [
        f"As of run {judged.id}, {when}, the last that was applied.",
        more,
        f"The latest run is {latest.id}: {word[0].lower()}{word[1:]}.",
    ]
    st.caption(f":material/history: {' '.join(part for part in parts if part)}")


def _has(state: RunState, run: Run, kind: OutcomeKind) -> bool:
    return bool(run_view.kinds_present(state.counts(run), (kind,)))


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


def _head(here: Visitor, run: Run, told: str, kind: OutcomeKind) -> None:
    run_view.show_headline(here, run)
    with st.container(horizontal=True, vertical_alignment="center", key=f"head-{kind}"):
        st.caption(told, width="content")
        st.space("stretch")
        if kind == OutcomeKind.FAILED:
            retry_button.offer(here, run)
        if here.person.may("sync") or here.person.may("export"):
            slug, skipped = here.organization.slug, kind == OutcomeKind.SKIPPED
            address = addresses.of_rejects(run.id, slug, skipped=skipped)
            downloads.offer("Download these rows", address)
