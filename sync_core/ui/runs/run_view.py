"""One run in full: what it says, its counts, what it did to rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from sync_core.api import addresses
from sync_core.catalogue import resources
from sync_core.foundation.vocabulary import CHANGED, COUNTS, LEFT_OUT, OutcomeKind
from sync_core.runs import Run, Tallies
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import ago, lasted, literal, look, moment
from sync_core.ui.runs import downloads, outcome_table

ALWAYS_SHOWN = ("read", OutcomeKind.CREATED, OutcomeKind.UPDATED)


def show_headline(here: Visitor, run: Run) -> None:
    """Show how the run ended, when, and who asked for it."""
    run_look = look(run)
    at = run.finished_at or run.queued_at
    parts = [f"Run {run.id}", f"{moment(at, here.zone)}, {ago(at)}", literal(run.requested_by)]
    if run.seconds is not None:
        parts.append(f"took {lasted(run.seconds)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(run_look.word, icon=run_look.icon, color=run_look.color)
        st.caption(" · ".join(parts), width="content")


def show_counts(run: Run, tallies: Tallies) -> None:
    """Show the counts of each table that the run worked on."""
    for entity in resources.CATALOGUE[run.resource].entities:
        if entity.name in tallies:
            _counts_of(entity.title if len(tallies) > 1 else "", tallies[entity.name])


def _counts_of(title: str, tally: Mapping[str, Any]) -> None:
    if title:
        st.markdown(f"**{title}**")
    shown = [kind for kind in COUNTS if tally[kind] or kind in ALWAYS_SHOWN]
    with st.grid(7, min_column_width=110, gap="xsmall"):
        for kind in shown:
            st.metric(kind.capitalize(), f"{tally[kind]:,}", border=True)
    if tally["rules"]:
        rules = ", ".join(f"{count:,} {literal(rule)}" for rule, count in tally["rules"].items())
        st.caption(f"Skipped by rule: {rules}")


def show_changes(here: Visitor, run: Run | None, tallies: Tallies) -> None:
    """Show what the run changed, row by row."""
    if run is None:
        more = "What a sync creates, updates and removes is listed here, row by row."
        paging.show_empty(":material/difference:", "Nothing has been synced yet.", more)
        return
    show_headline(here, run)
    show_counts(run, tallies)
    if kinds := kinds_present(tallies, CHANGED):
        outcome_table.show(here, run, kinds, f"changes-{run.id}")
    else:
        paging.show_empty(
            ":material/check:", "It changed nothing.", "Every row was as it should be."
        )


def show_rows_for_a_person(here: Visitor, run: Run | None, tallies: Tallies) -> None:
    """Show the rows of the run that somebody has to mend, or that a rule left out."""
    kinds = kinds_present(tallies, LEFT_OUT)
    if run is None or not kinds:
        more = "Rows that fail, or that a rule leaves out, are listed here with their reasons."
        paging.show_empty(":material/task_alt:", "No row needs a person.", more)
        return
    show_headline(here, run)
    with st.container(horizontal=True, vertical_alignment="center"):
        told = (
            "Mend failed rows in the source, then sync again. Skipped rows are left out by a rule."
        )
        st.caption(told, width="content")
        st.space("stretch")
        if here.person.may("sync") or here.person.may("export"):
            rejects = addresses.of_rejects(run.id, here.organization.slug)
            downloads.offer("Download these rows", rejects)
    outcome_table.show(here, run, kinds, f"person-{run.id}")


def kinds_present(tallies: Tallies, kinds: Sequence[str]) -> list[str]:
    """Return those of the kinds that the run has any rows of."""
    return [kind for kind in kinds if any(tally[kind] for tally in tallies.values())]
