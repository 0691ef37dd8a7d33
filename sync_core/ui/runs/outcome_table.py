"""What a run did to rows, or would do, as a table: searched and paged in SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import RunStatus
from sync_core.records import outcomes
from sync_core.records.history import in_words
from sync_core.records.outcomes import Outcome
from sync_core.runs import Run
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.runs import cell_links, outcome_filter, outcome_in_full, outcome_words

MAX_VISIBLE_ROWS = 12  # without scrolling, so that the row in full is in sight below


def show(here: Visitor, run: Run, kinds: Sequence[str], key: str) -> None:
    """Show the outcomes of these kinds, and the one that is chosen in full."""
    wanted = outcome_filter.show(run, kinds, key)
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
        chosen = _table(run, found, key)
    if chosen is None:
        st.caption("Choose a row to see each field before and after.")
    else:
        outcome_in_full.show(here, run, chosen, key)


def _table(run: Run, found: Sequence[Outcome], key: str) -> Outcome | None:
    """Show a page of outcomes; returns the one that is chosen."""
    rows, colors = _rows(run, found), outcome_words.colors(run)
    columns = st.column_config
    event = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=paging.height(min(len(rows), MAX_VISIBLE_ROWS)),
        row_height=paging.ROW_PIXELS,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Row": columns.NumberColumn(format="%d", width="small"),
            "Outcome": columns.MultiselectColumn(
                options=list(colors), color=list(colors.values()), width="small"
            ),
            "What": columns.TextColumn("Reason or change", width="large"),
            "Sheet": columns.LinkColumn(display_text="Open", width="small"),
        },
        key=f"table-{key}",
        placeholder="",
        alt="Rows and what happened to them",
    )
    picked = event.selection.rows
    return found[picked[0]] if picked and picked[0] < len(found) else None


def _rows(run: Run, found: Sequence[Outcome]) -> list[dict[str, object]]:
    links = cell_links.sheets_of(run.id)
    several = len(resources.CATALOGUE[run.resource].entities) > 1
    planned = run.status == RunStatus.WAITING
    rows = []
    for outcome in found:
        title = resources.ENTITIES[outcome.entity].title
        row: dict[str, object] = {"Table": title} if several else {}
        row |= {} if run.undoes else {"Row": outcome.row_number}  # of the sheet
        row |= {
            "Name": outcome.name,
            "Outcome": [outcome_words.look(run, outcome.kind).word],
            "What": explain(outcome, planned=planned, undoes=run.undoes is not None),
            "Key": outcome.key or "",
        }
        if links:
            row["Sheet"] = cell_links.link(links, outcome)
        rows.append(row)
    return rows


def explain(outcome: Outcome, *, planned: bool = False, undoes: bool = False) -> str:
    """Return what happened to a row in words, or is planned, and why."""
    issues = [f"{_cell(issue.cell)}{issue.sentence}" for issue in outcome.issues]
    match outcome.kind:
        case "updated":
            return "; ".join([*_changes(outcome, planned=planned), *issues])
        case "removed" if not issues:
            return "It was created by that run" if undoes else "It is no longer in the source"
        case "created" if not issues:
            return "It was removed by that run" if undoes else "It is new"
        case _:
            return "; ".join(issues)


def _changes(outcome: Outcome, *, planned: bool) -> Iterator[str]:
    """Tell the cells of an updated row before and after, and where it came back or went."""
    labels = {f.column: f.label for f in resources.ENTITIES[outcome.entity].fields}
    for column, (before, after) in (outcome.changes or {}).items():
        if column in labels:
            yield f"{labels[column]}: {_shown(before)} → {_shown(after)}"
        elif after is None:  # of when it was removed
            yield "It comes back" if planned else "It came back"
        else:
            yield "It is removed again"


def _cell(address: str | None) -> str:
    return f"{address.rsplit('!', 1)[-1]}: " if address else ""


def _shown(value: object) -> str:
    return in_words(value) or "blank"
