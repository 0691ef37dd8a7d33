"""One row of a run in full: each field before and after, or why it was left out."""

from collections.abc import Iterator
from functools import partial

import pandas as pd
import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.foundation.vocabulary import OutcomeKind, RunKind, RunStatus
from sync_core.records.history import in_words
from sync_core.records.outcome_format import KEY_SEPARATOR
from sync_core.records.outcomes import Outcome
from sync_core.records.privacy import MASK
from sync_core.runs import Run
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import drawer, record_link
from sync_core.ui.parts.words import capitalized, listed, literal
from sync_core.ui.runs import outcome_words, proof_link, wrong_cells


def open_beside(here: Visitor, run: Run, outcome: Outcome, name: str, named_by: str) -> None:
    """Open the row, which a parameter of the address names, beside the table."""
    kind = outcome_words.look(run, outcome.kind)
    title = name or f"Row {outcome.row_number}"
    drawer.show(here, title, kind.icon, partial(_show, here, run, outcome), (named_by,))


def _show(here: Visitor, run: Run, outcome: Outcome) -> None:
    """Show what happened to the row, or what is planned for it."""
    entity, kind = resources.ENTITIES[outcome.entity], outcome_words.look(run, outcome.kind)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(kind.word, icon=kind.icon, color=kind.color)
        st.markdown(f":gray[{' · '.join(_where(entity.title, outcome))}]", width="content")
    if is_wrong := outcome.kind == OutcomeKind.FAILED and run.kind != RunKind.UNDO:
        wrong_cells.show(run, wrong_cells.of_row(here, run, outcome))
    for line in () if is_wrong else _reasons(outcome):
        st.markdown(line)
    if cells := _cells(outcome):
        table = pd.DataFrame(cells)
        st.table(table, border="horizontal", hide_index=True, alt="Fields, before and after")
    changes = outcome.changes or {}
    hidden = [f.label for f in entity.fields if _is_hidden(changes.get(f.column))]
    if hidden:
        st.caption(f":material/visibility_off: Hidden from your role: {literal(listed(hidden))}.")
    if outcome.identity and not _is_to_come(run, outcome):
        parts = outcome.identity.split(KEY_SEPARATOR)
        record_link.show(here.organization, entity, parts, "History of this record")
    key = outcome.identity.split(KEY_SEPARATOR) if outcome.identity else ()
    if proof := proof_link.address(here, run, outcome.entity, outcome.row_number, key):
        proof_link.show(proof)


def _is_to_come(run: Run, outcome: Outcome) -> bool:
    """Return whether there is no such record yet."""
    return run.status == RunStatus.WAITING and outcome.kind == OutcomeKind.CREATED


def _where(title: str, outcome: Outcome) -> Iterator[str]:
    yield literal(title)
    if outcome_words.open_text(outcome.key) and outcome.key != outcome.name:
        yield literal(outcome.key)
    if outcome.row_number:
        yield f"row {outcome.row_number:,} of the source"


def _reasons(outcome: Outcome) -> Iterator[str]:
    """Say in Markdown why a row was left out, and what to do about it."""
    for issue in outcome.issues:
        cell = f"{literal(issue.cell)}: " if issue.cell else ""
        yield f"**{cell}{literal(issue.told)}.**"
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
        if _is_hidden(value):
            continue
        match outcome.kind:
            case OutcomeKind.UPDATED:
                told = {"Before": _shown(value[0]), "After": _shown(value[1])}
            case OutcomeKind.REMOVED:
                told = {"Value when removed": _shown(value)}
            case _:
                told = {"Value": _shown(value)}
        found.append({"Field": literal(field.label), **told})
    return found


def _is_hidden(value: object) -> bool:
    return MASK in (value if isinstance(value, list) else [value])


def _shown(value: object) -> str:
    return literal(in_words(value)) or ":gray[blank]"
