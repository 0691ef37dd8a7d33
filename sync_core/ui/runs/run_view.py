"""One run in full: what it says, its counts, what it did to rows."""

from collections.abc import Mapping, Sequence

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.counting import ago
from sync_core.foundation.vocabulary import CHANGED, COUNTS, LEFT_OUT, OutcomeKind, RunKind
from sync_core.runs import Run, Tallies
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import lasted, literal, look, moment, started_how
from sync_core.ui.runs import outcome_table, outcome_words, undo_button

READ = "read"
ALWAYS_SHOWN = (READ, OutcomeKind.CREATED, OutcomeKind.UPDATED)


def show_headline(here: Visitor, run: Run) -> None:
    """Show how the run ended, when, and who asked for it."""
    run_look = look(run)
    at = run.finished_at or run.queued_at
    parts = [f"Run {run.id}", f"{moment(at, here.zone)}, {ago(at)}", literal(run.requested_by)]
    parts.append(started_how(run, here.zone))
    if run.seconds is not None:
        parts.append(f"took {lasted(run.seconds)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(run_look.word, icon=run_look.icon, color=run_look.color)
        st.caption(" · ".join(parts), width="content")


def show_counts(run: Run, tallies: Tallies) -> None:
    """Show the counts of each table that the run worked on."""
    entities = resources.CATALOGUE[run.resource].entities
    counted = {entity.title: tallies[entity.name] for entity in entities if entity.name in tallies}
    shown = [
        kind
        for kind in COUNTS
        if kind in _always_shown(run) or any(tally[kind] for tally in counted.values())
        if kind != READ or run.kind != RunKind.UNDO  # which reads nothing
    ]
    words = [_word(run, kind) for kind in shown]
    if len(counted) > 1:
        rows = [(title, [f"{tally[k]:,}" for k in shown]) for title, tally in counted.items()]
        st.html(render("tally", kinds=words, rows=rows))
    ruled = []
    for title, tally in counted.items():
        if len(counted) == 1:
            _metrics(dict(zip(words, (tally[kind] for kind in shown), strict=True)))
        if tally["rules"] and run.kind != RunKind.UNDO:
            rules = (f"{count:,} {literal(rule)}" for rule, count in tally["rules"].items())
            of = f"{title} skipped" if len(counted) > 1 else "Skipped"
            ruled.append(f"{of} by rule: {', '.join(rules)}")
    if ruled:
        st.caption(" · ".join(ruled))


def _always_shown(run: Run) -> Sequence[str]:
    return LEFT_OUT if run.kind == RunKind.UNDO else ALWAYS_SHOWN


def _word(run: Run, kind: str) -> str:
    return kind.capitalize() if kind == READ else outcome_words.look(run, kind).word


def _metrics(counts: Mapping[str, int]) -> None:
    with st.grid(7, min_column_width=110, gap="xsmall"):
        for word, number in counts.items():
            st.metric(word, f"{number:,}", border=True)


def show_changes(here: Visitor, run: Run, tallies: Tallies) -> None:
    """Show what the run changed, row by row."""
    with st.container(horizontal=True, vertical_alignment="center"):
        show_headline(here, run)
        st.space("stretch")
        undo_button.offer(here, run, tallies, "changes")
    undo_button.tell(here, run)
    show_counts(run, tallies)
    if kinds := kinds_present(tallies, CHANGED):
        outcome_table.show(here, run, kinds, "changes")
    else:
        paging.show_empty(
            ":material/check:", "It changed nothing.", "Every row was as it should be."
        )


def changed_rows(tallies: Tallies) -> int:
    """Return how many rows these counts say were created, updated or removed."""
    return sum(tally[kind] for tally in tallies.values() for kind in CHANGED)


def kinds_present(tallies: Tallies, kinds: Sequence[str]) -> list[str]:
    """Return those of the kinds that the run has any rows of."""
    return [kind for kind in kinds if any(tally[kind] for tally in tallies.values())]
