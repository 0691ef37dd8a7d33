"""One row of a run in full: each field before and after, or why it was left out."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.foundation.vocabulary import OutcomeKind, RunStatus
from sync_core.records.history import in_words
from sync_core.records.outcome_format import KEY_SEPARATOR
from sync_core.records.outcomes import Outcome
from sync_core.runs import Run
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import record_link
from sync_core.ui.parts.words import capitalized, literal
from sync_core.ui.runs import outcome_words


def show(here: Visitor, run: Run, outcome: Outcome, key: str) -> None:
    """Show what happened to the row, or what is planned for it."""
    entity = resources.ENTITIES[outcome.entity]
    kind = outcome_words.look(run, outcome.kind)
    with st.container(border=True, gap="small", key=f"outcome-in-full-{key}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(kind.word, icon=kind.icon, color=kind.color)
            name = literal(outcome.name or outcome.key or f"Row {outcome.row_number}")
            st.markdown(f"**{name}**", width="content")
            st.caption(" · ".join(_where(entity.title, outcome)), width="content")
            st.space("stretch")
            if outcome.identity and not _is_to_come(run, outcome):
                parts = outcome.identity.split(KEY_SEPARATOR)
                record_link.show(here.organization, entity, parts, "History of this record")
        for line in _reasons(outcome):
            st.markdown(line)
        if cells := _cells(outcome):
            table = pd.DataFrame(cells)
            st.table(table, border="horizontal", hide_index=True, alt="Fields, before and after")


def _is_to_come(run: Run, outcome: Outcome) -> bool:
    """Return whether there is no such record yet."""
    return run.status == RunStatus.WAITING and outcome.kind == OutcomeKind.CREATED


def _where(title: str, outcome: Outcome) -> Iterator[str]:
    yield literal(title)
    if outcome.key and outcome.key != outcome.name:
        yield literal(outcome.key)
    if outcome.row_number:
        yield f"row {outcome.row_number:,} of the source"


def _reasons(outcome: Outcome) -> Iterator[str]:
    """Say in Markdown why a row was left out, and what to do about it."""
    for issue in outcome.issues:
        cell = f"{literal(issue.cell)}: " if issue.cell else ""
        yield f"**{cell}{literal(issue.sentence)}.**"
        if (known := CELL_CODES.get(issue.code)) and known.advice:
            yield f":small[{literal(known.advice)}]"
    if outcome.kind == OutcomeKind.SKIPPED and outcome.rule and not outcome.issues:
        yield f"**{literal(capitalized(outcome.rule))}** leaves it out."


def _cells(outcome: Outcome) -> list[dict[str, str]]:
    """Return the fields that are concerned, in the order of the table's."""
    changes = outcome.changes or {}
    fields = resources.ENTITIES[outcome.entity].fields
    found = []
    for field in (field for field in fields if field.column in changes):
        value = changes[field.column]
        match outcome.kind:
            case OutcomeKind.UPDATED:
                told = {"Before": _shown(value[0]), "After": _shown(value[1])}
            case OutcomeKind.REMOVED:
                told = {"Value when removed": _shown(value)}
            case _:
                told = {"Value": _shown(value)}
        found.append({"Field": literal(field.label), **told})
    return found


def _shown(value: object) -> str:
    return literal(in_words(value)) or ":gray[blank]"
