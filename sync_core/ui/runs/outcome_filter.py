"""Which rows of a run are shown: searched, and filtered by kind, table, field and reason.

All of it stands in the address. A table, field or reason stands there by its name, for its words
tell how many rows it concerns, which another run changes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from sync_core.catalogue import reason_words, resources
from sync_core.engine.undo.turned_round import KEPT
from sync_core.foundation import db
from sync_core.foundation.vocabulary import LEFT_OUT, OutcomeKind
from sync_core.records import outcomes, reasons
from sync_core.records.outcomes import Wanted
from sync_core.records.reasons import Reason
from sync_core.runs import Run
from sync_core.ui.parts import kept_choice, paging
from sync_core.ui.parts.totals import version
from sync_core.ui.runs import outcome_words

KEPT_BECAUSE = "changed_since"  # the code that tells what the rule of an undo means
SEARCHES = {  # what each search looks through: there may be two on a page
    "failed": "Search failed rows",
    "skipped": "Search skipped rows",
    "changes": "Search changes",
    "run": "Search all rows",
    "plan": "Search the plan",
}


@dataclass(frozen=True)
class Offered:
    """What the rows of a run can be filtered by; each with how many rows it concerns."""

    columns: Mapping[tuple[str, str], int]  # by entity and column
    reasons: Sequence[Reason]


def show(run: Run, kinds: Sequence[str], key: str) -> Wanted:
    """Show the filter; returns what is asked for."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"tools-{key}"):
        search = st.text_input(
            SEARCHES[key],
            type="search",
            live=True,
            placeholder=f"{SEARCHES[key]} by key, name or reason",
            icon=":material/search:",
            key=f"search-{key}",
            bind="query-params",
            label_visibility="collapsed",
            width=360,
        )
        chosen = _kinds(run, kinds, key) if len(kinds) > 1 else kinds
        entity, field, reason = _more(run, kinds, key)
    return Wanted(
        kinds=chosen or kinds,
        search=search or "",
        entity=entity,
        field=field,
        reason=reason,
        limit=paging.PAGE_ROWS,
    )


def clear(key: str) -> None:
    """Ask for all rows again."""
    own = [f"by-{name}-{key}" for name in ("table", "field", "reason")]
    paging.blank([f"search-{key}", f"kinds-{key}", *own])
    for name in own:  # which are not bound
        st.query_params.pop(name, None)


@st.cache_resource(ttl=600, max_entries=200, show_spinner=False, hash_funcs={Run: version})
def offered(run: Run) -> Offered:
    """Return what the rows of a run can be filtered by: read once, for it does not change."""
    with db.within(run.organization_id) as connection:
        return Offered(outcomes.by_column(connection, run), reasons.of_run(connection, run))


def _kinds(run: Run, kinds: Sequence[str], key: str) -> Sequence[str]:
    return st.pills(
        "Outcome",
        list(kinds),
        selection_mode="multi",
        format_func=lambda kind: outcome_words.look(run, kind).word,
        key=f"kinds-{key}",
        bind="query-params",
        label_visibility="collapsed",
    )


def _more(run: Run, kinds: Sequence[str], key: str) -> tuple[str | None, str | None, str | None]:
    """Show the filters of which there is something to choose; returns table, field and reason."""
    found = offered(run)
    titles = {entity.name: entity.title for entity in resources.by_name(run.resource).entities}
    options: dict[str, Mapping[str, str]] = {
        "Table": titles if len(titles) > 1 else {},
        "Field": _columns(run, found, kinds),
        "Reason": _reasons(found, kinds),
    }
    shown = {name: words for name, words in options.items() if len(words) > 1}
    if not shown:
        return None, None, None
    keys = {name: f"by-{name.lower()}-{key}" for name in shown}
    chosen = sum(st.query_params.get(keys[name]) in words for name, words in shown.items())
    label = f"Filter ({chosen})" if chosen else "Filter"
    with st.popover(label, icon=":material/filter_list:", key=f"filter-{key}"):
        picked = {name: kept_choice.show(name, words, keys[name]) for name, words in shown.items()}
    return picked.get("Table"), picked.get("Field"), picked.get("Reason")


def _columns(run: Run, found: Offered, kinds: Sequence[str]) -> dict[str, str]:
    """Name the columns that are changed, with how many rows, and those in which something fails."""
    entities = resources.by_name(run.resource).entities
    fields = [(entity.name, field) for entity in entities for field in entity.fields]
    rows = Counter[str]()
    for entity, field in fields:
        if OutcomeKind.UPDATED in kinds:
            rows[field.column] += found.columns.get((entity, field.column), 0)
        if OutcomeKind.FAILED in kinds:
            its = (one for one in _flat(found.reasons) if one.entity == entity)
            rows[field.column] += sum(one.rows for one in its if one.field == field.label)
    labels = {field.column: field.label for _, field in fields}
    return {name: f"{label} ({rows[name]:,})" for name, label in labels.items() if rows[name]}


def _reasons(found: Offered, kinds: Sequence[str]) -> dict[str, str]:
    if not set(kinds) & set(LEFT_OUT):
        return {}
    rows = Counter[str]()
    for one in _flat(found.reasons):
        rows[one.code] += one.rows if one.kind in kinds else 0
    return {code: f"{named(code)} ({n:,})" for code, n in rows.most_common() if n}


def _flat(found: Sequence[Reason]) -> list[Reason]:
    return [one for reason in found for one in (reason, *reason.follows)]


def titled(field: str, code: str) -> str:
    """Return what people call a reason in a field: "Email: Duplicate"."""
    return f"{field}: {named(code)}" if field else named(code)


def named(code: str) -> str:
    """Return what people call a reason: the summary of its code, or the name of its rule."""
    return reason_words.of_code(KEPT_BECAUSE if code == KEPT else code)
