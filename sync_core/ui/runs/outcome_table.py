"""What a run did to rows, as a table: searched and paged in SQL."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.records import outcomes
from sync_core.records.outcomes import Outcome, Wanted
from sync_core.runs import Run
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.runs import cell_links

COLORS = {
    "Created": "green",
    "Updated": "blue",
    "Removed": "gray",
    "Skipped": "orange",
    "Failed": "red",
}


def show(here: Visitor, run: Run, kinds: Sequence[str], key: str) -> None:
    """Show the outcomes of these kinds, or a sentence where there are none."""
    wanted = _toolbar(kinds, key)
    with db.begin() as connection:
        total = outcomes.count(connection, run, wanted, here.person)
    if not total:
        paging.show_no_match()
        return
    table = st.container()
    offset = paging.choose_page(key, total)
    with db.begin() as connection:
        found = outcomes.read(connection, run, replace(wanted, offset=offset), here.person)
    with table:
        _table(run, found, key)


def _toolbar(kinds: Sequence[str], key: str) -> Wanted:
    with st.container(horizontal=True, vertical_alignment="center", key=f"tools-{key}"):
        search = st.text_input(
            "Search",
            type="search",
            live=True,
            placeholder="Search key, name or reason",
            icon=":material/search:",
            key=f"search-{key}",
            label_visibility="collapsed",
            width=320,
        )
        chosen = _filter(kinds, key) if len(kinds) > 1 else kinds
    return Wanted(kinds=chosen or kinds, search=search or "", limit=paging.PAGE_ROWS)


def _filter(kinds: Sequence[str], key: str) -> Sequence[str]:
    return st.pills(
        "Outcome",
        list(kinds),
        selection_mode="multi",
        format_func=str.capitalize,
        key=f"kinds-{key}",
        label_visibility="collapsed",
    )


def _table(run: Run, found: Sequence[Outcome], key: str) -> None:
    links = cell_links.sheets_of(run.id)
    several = len(resources.CATALOGUE[run.resource].entities) > 1
    rows = []
    for outcome in found:
        title = resources.ENTITIES[outcome.entity].title
        row: dict[str, object] = {"Table": title} if several else {}
        row |= {
            "Row": outcome.row_number,
            "Name": outcome.name,
            "Outcome": [outcome.kind.capitalize()],
            "What": explain(outcome),
            "Key": outcome.key or "",
        }
        if links:
            row["Sheet"] = cell_links.link(links, outcome)
        rows.append(row)
    columns = st.column_config
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=paging.height(len(rows)),
        row_height=paging.ROW_PIXELS,
        column_config={
            "Row": columns.NumberColumn(format="%d", width="small"),
            "Outcome": columns.MultiselectColumn(
                options=list(COLORS), color=list(COLORS.values()), width="small"
            ),
            "What": columns.TextColumn("Reason or change", width="large"),
            "Sheet": columns.LinkColumn(display_text="Open", width="small"),
        },
        key=f"table-{key}",
        placeholder="",
        alt="Rows and what happened to them",
    )


def explain(outcome: Outcome) -> str:
    """Return what happened to a row in words, and why."""
    if outcome.issues:
        return "; ".join(f"{_cell(issue.cell)}{issue.sentence}" for issue in outcome.issues)
    match outcome.kind, outcome.changes:
        case "updated", changes if changes:
            labels = {f.column: f.label for f in resources.ENTITIES[outcome.entity].fields}
            return "; ".join(
                f"{labels.get(column, column)}: {_value(before)} → {_value(after)}"
                for column, (before, after) in changes.items()
            )
        case "updated", _:
            return "It came back"
        case "removed", _:
            return "It is no longer in the source"
        case _:
            return "It is new"


def _cell(address: str | None) -> str:
    return f"{address.rsplit('!', 1)[-1]}: " if address else ""


def _value(value: object) -> str:
    return "blank" if value is None else str(value)
