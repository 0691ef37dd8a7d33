"""One run with all that is known of it, opened below a list of runs."""

from collections.abc import Sequence

import streamlit as st

from sync_core import runs
from sync_core.api import addresses
from sync_core.foundation import db
from sync_core.foundation.vocabulary import CHANGED, LEFT_OUT, RunStatus
from sync_core.runs import Run, Tallies, plans, uploads
from sync_core.runs.attempts import joined_log
from sync_core.runs.plans import Tripped
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal, size
from sync_core.ui.runs import (
    attempts,
    comparison_view,
    decision,
    downloads,
    outcome_table,
    run_log,
    run_view,
    undo_button,
)

RUN = "run"  # in the address: the run that is opened


def show_by_id(here: Visitor, run_id: int) -> None:
    """Show a run that an address names. Raises SyncError("unknown_run")."""
    with db.begin() as connection:
        run = runs.get(connection, here.organization.id, run_id)
        tallies = runs.tallies(connection, [run_id])
    show(here, run, tallies.get(run_id, {}))


def show(here: Visitor, run: Run, tallies: Tallies) -> None:
    """Show what it says, its counts, what it did to rows, how it went, and its log."""
    kinds = run_view.kinds_present(tallies, (*CHANGED, *LEFT_OUT))
    with st.container(border=True, key="run-in-full"):
        run_view.show_headline(here, run)
        with st.container(horizontal=True):
            undo_button.offer(here, run, "run")
            if run.status == RunStatus.WAITING:
                decision.offer(here, run, tallies, "run", _tripped(run))
        for line in (run.message, run.advice, *run.notes):
            if line:
                st.markdown(literal(line))
        for file in _files(run):
            st.caption(file)
        if run.log_message not in {"", run.message}:
            st.caption(literal(run.log_message))
        run_view.show_counts(run, tallies)
        attempts.show_phases(run)
        attempts.show_traffic(run)
        if kinds:
            outcome_table.show(here, run, kinds, f"run-{run.id}")
            _offer_files(here, run, kinds)
        comparison_view.offer(here, run)
        found = attempts.read(run)
        attempts.show(here, run, found)
        run_log.show_kept(here, run, joined_log(found))


def _tripped(run: Run) -> Sequence[Tripped]:
    with db.begin() as connection:
        kept = plans.of_run(connection, run.id)
    return kept.tripped if kept else ()


def _files(run: Run) -> list[str]:
    """Return in words which files the run was given instead of the source."""
    with db.begin() as connection:
        given = uploads.of_run(connection, run.id)
    return [
        f"Uploaded file {literal(file.name)}, {size(file.size)}, SHA-256 {file.sha256}"
        for file in given
    ]


def _offer_files(here: Visitor, run: Run, kinds: list[str]) -> None:
    slug = here.organization.slug
    with st.container(horizontal=True):
        if here.person.may("export"):
            downloads.offer("Download all of these", addresses.of_outcomes(run.id, slug))
        if set(kinds) & set(LEFT_OUT) and (here.person.may("export") or here.person.may("sync")):
            downloads.offer("Download rows to mend", addresses.of_rejects(run.id, slug))
