"""Who asked for runs, in words and numbers, by person and by team."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from sync_core.analytics import habits
from sync_core.analytics.definitions import share
from sync_core.analytics.habits import Done
from sync_core.foundation.counting import count
from sync_core.ui.analytics import cached, drawing, numbers, panel
from sync_core.ui.analytics.period import Asked, title
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal, moment

MAX_IN_WORDS = 5  # people, and teams
MAX_BARS = 15


@dataclass(frozen=True)
class Activity:
    """What a person, or a team, asked for."""

    name: str
    team: str
    people: int
    runs: int
    judged: int
    completed: int
    last: datetime
    by_resource: Mapping[str, int]  # the most frequent first

    @property
    def success(self) -> float | None:
        """Return the run success rate, 0 to 1."""
        return share(self.completed, self.judged)


def show(here: Visitor, asked: Asked) -> None:
    """Show the tab."""
    found = cached.read(habits.done, asked.wanted)
    persons = summed(found, lambda row: row.email, lambda row: row.name)
    teams = summed(found, lambda row: row.team, lambda row: row.team or "No team")
    with st.grid(2, min_column_width=330):
        _in_words(here, "People", persons)
        _in_words(here, "Teams", teams)
    tables = {"People": _table(asked, persons), "Teams": _table(asked, teams)}
    panel.show(here, asked, "Runs by person", "people", _bars(persons), tables)


def summed(
    found: Sequence[Done], by: Callable[[Done], str], name: Callable[[Done], str]
) -> list[Activity]:
    """Return what was done, summed up by person or by team; the busiest first."""
    groups = groupby(sorted(found, key=lambda row: (by(row), -row.runs)), by)
    activities = (_activity(list(rows), name) for _, rows in groups)
    return sorted(activities, key=lambda activity: (-activity.runs, activity.name))


def _activity(rows: Sequence[Done], name: Callable[[Done], str]) -> Activity:
    newest = max(rows, key=lambda row: row.last)
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.resource] = totals.get(row.resource, 0) + row.runs
    return Activity(
        name=name(newest),
        team=newest.team,
        people=len({row.email for row in rows}),
        runs=sum(row.runs for row in rows),
        judged=sum(row.judged for row in rows),
        completed=sum(row.completed for row in rows),
        last=newest.last,
        by_resource=dict(sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))),
    )


def _in_words(here: Visitor, what: str, found: Sequence[Activity]) -> None:
    with panel.frame(f"{what} in words", "", f"words-{what.lower()}"):
        if not found:
            panel.show_nothing()
        for activity in found[:MAX_IN_WORDS]:
            st.markdown(f":small[{_sentence(here, activity, teams=what == 'Teams')}]")
        if len(found) > MAX_IN_WORDS:
            st.caption(f"And {len(found) - MAX_IN_WORDS:,} more, in the table below.")


def _sentence(here: Visitor, activity: Activity, *, teams: bool) -> str:
    who = f"**{literal(activity.name)}**"
    if teams:
        who += f" ({count(activity.people, 'person')})".replace("persons", "people")
    elif activity.team:
        who += f" from {literal(activity.team)}"
    most = next(iter(activity.by_resource))
    mostly = "only" if len(activity.by_resource) == 1 else "mostly"
    asked = f"{who} started {count(activity.runs, 'run')}, {mostly} of {literal(title(most))}"
    rate = f"; {numbers.percent(activity.success)} succeeded" if activity.judged else ""
    return f"{asked}{rate}. The last was on {moment(activity.last, here.zone)}."


def _table(asked: Asked, found: Sequence[Activity]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Name": activity.name,
            "Team": activity.team,
            "People": activity.people,
            "Runs": activity.runs,
            "Counted": activity.judged,
            "Completed": activity.completed,
            "Success": activity.success,
            "Last": asked.there(activity.last),
        }
        for activity in found
    )


def _bars(found: Sequence[Activity]) -> go.Figure:
    figure, some = go.Figure(), found[:MAX_BARS]
    names = [escape(activity.name) for activity in some]
    for resource in sorted({name for a in some for name in a.by_resource}, key=drawing.index_of):
        index = drawing.index_of(resource)
        drawing.bars(
            figure,
            title(resource),
            [activity.by_resource.get(resource) for activity in some],
            names,
            drawing.shade(index),
            orientation="h",
            hovertemplate="%{y}: %{x:,}<extra>" + escape(title(resource)) + "</extra>",
        )
    drawing.tidy(figure, 100 + 32 * len(some))
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="Runs")
    figure.update_yaxes(autorange="reversed", type="category")
    return figure
