"""One run with all that is known of it: the result first, then why, what changed, and how."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from sync_core import runs
from sync_core.api import addresses
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import CHANGED, LEFT_OUT, OutcomeKind, RunKind, RunStatus
from sync_core.records import read_again
from sync_core.runs import Run, Tallies, run_address, undos
from sync_core.runs.attempts import Attempt, log_of
from sync_core.ui.frame import inbox_count, polling, run_state
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import copy_link, page_head, paging
from sync_core.ui.parts.words import literal, look
from sync_core.ui.runs import (
    attempts,
    comparison_view,
    downloads,
    failures_list,
    head_line,
    notice,
    outcome_table,
    plan_section,
    reasons_list,
    retry_button,
    run_facts,
    run_log,
    run_view,
    status_strip,
    undo_button,
)

PART = "part"  # in the address: the tab that is open


def show(here: Visitor, run: Run) -> None:
    """Show the run: its result, why rows failed, what it changed; then its log and attempts."""
    with db.within(run.organization_id) as connection:
        tallies = runs.tallies(connection, [run.id]).get(run.id, {})
        (run,) = undos.marked(connection, [run])
    found = attempts.read(run)
    inbox_count.read_run(here, run.id, run_state.read(here.organization.id).newest_notice)
    _head(here, run, tallies)
    if run.active:
        polling.follow(here, partial(_draw, here, run))
    else:
        _result(here, run)
        undo_button.tell(here, run)
    if run.status == RunStatus.WAITING:
        run_facts.show(here, run, found)
        plan_section.show(here, run)
    elif run.finished_at:
        run_view.show_counts(run, tallies)
        run_facts.show(here, run, found)
        if run.dropped_plan:
            plan_section.show_dropped(run)
            _how(here, run, found)
            return
        _failures(here, run, tallies)
        _changes(here, run, tallies)
    _how(here, run, found)


def _draw(here: Visitor, run: Run, state: RunState) -> None:
    """Show how the run goes."""
    resource = resources.CATALOGUE[run.resource]
    status_strip.show(here, resource, state, head_line.of(here, resource, state))


def _head(here: Visitor, run: Run, tallies: Tallies) -> None:
    resource = resources.CATALOGUE[run.resource]
    with page_head.show(f"Run {run.id}", resource.icon):
        st.page_link(
            page_file(run.resource),
            label=resource.title,
            icon=":material/arrow_outward:",
            query_params={ORGANIZATION: here.organization.slug},
        )
        st.space("stretch")
        undo_button.offer(here, run, tallies, "run")
        if not run.active and run.status != RunStatus.COMPLETED:
            notice.offer_details(here, resource, run)
        copy_link.offer(run_address.path(here.organization.slug, run.id))


def _result(here: Visitor, run: Run) -> None:
    """Show in a line how the run ended; below it what to do about it, and what it noticed."""
    run_look = look(run)
    badge = f":{run_look.color}-badge[{run_look.icon} {run_look.word}]"
    st.markdown(f"{badge} {literal(run.message)}" if run.message else badge)
    notes = [line for line in (notice.advice(here, run), *run.notes) if line]
    if notes:
        st.markdown("\n".join(f"- :small[{literal(line)}]" for line in notes))


def _failures(here: Visitor, run: Run, tallies: Tallies) -> None:
    undoes = run.kind == RunKind.UNDO  # which leaves records, and no cells of a source
    told = LEFT_OUT if undoes else (OutcomeKind.FAILED,)  # a rule is told above
    kinds = run_view.kinds_present(tallies, told)
    if not kinds:
        return
    with db.within(run.organization_id) as connection:
        again = read_again.since(connection, run)
    title = "What was left as it is" if undoes else "Why rows failed"
    with st.container(horizontal=True, vertical_alignment="center", key="head-failures"):
        st.header(title, anchor=False, width="content")
        st.space("stretch")
        if again is None or again.may_retry:
            retry_button.offer(here, run)
        if here.person.may("export") or here.person.may("sync"):
            downloads.offer(
                "Download these rows", addresses.of_rejects(run.id, here.organization.slug)
            )
    if again:
        retry_button.tell(here, again)
    if undoes:
        reasons_list.show(run, kinds)
    else:
        failures_list.show(here, run, "failed")


def _changes(here: Visitor, run: Run, tallies: Tallies) -> None:
    kinds = run_view.kinds_present(tallies, (*CHANGED, *LEFT_OUT))
    with st.container(horizontal=True, vertical_alignment="center", key="head-changes"):
        st.header("What it did to rows", anchor=False, width="content")
        st.space("stretch")
        if kinds and here.person.may("export"):
            downloads.offer("Download all", addresses.of_outcomes(run.id, here.organization.slug))
    if kinds:
        outcome_table.show(here, run, kinds, "run")
    else:
        paging.show_empty(":material/check:", "It changed nothing.")
    comparison_view.offer(here, run)


def _how(here: Visitor, run: Run, found: Sequence[Attempt]) -> None:
    """Show how it went, in tabs: its log, and the attempts at it."""
    log, tries = st.tabs(["Log", "Attempts"], key=PART, on_change="rerun", bind="query-params")
    with log:
        run_log.show_kept(here, run, log_of(run, found))
    with tries:
        attempts.show(here, run, found)
