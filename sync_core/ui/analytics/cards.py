"""The key figures: each beside that of the period before, how it went, and the list behind it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import streamlit as st

from sync_core.analytics import key_figures, over_time
from sync_core.analytics.definitions import DEFINITIONS, FEW, JUDGED, share
from sync_core.analytics.key_figures import LIST_BEHIND, Recovery, RowFigures, RunFigures
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import FAILED, RunStatus
from sync_core.runs import filters
from sync_core.ui.analytics import cached, numbers, sparkline
from sync_core.ui.analytics.period import Asked
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor

ORGANIZATIONS = "organizations"  # in the address of the list, by their short names
FEW_HELP = f"Fewer than {FEW}: one more could change the figure."
Good = Literal["normal", "inverse", "off"]  # more of it is good, bad, or neither


@dataclass(frozen=True)
class Card:
    """One key figure, now and in the period before; `samples` runs stand behind each of the two."""

    key: str  # of LIST_BEHIND
    label: str
    icon: str
    now: float | None
    before: float | None
    samples: tuple[int, int]
    in_words: Callable[[float | None], str]
    good: Good
    meaning: str
    note: str = ""
    noun: str = "run"  # what its samples are

    @property
    def few(self) -> tuple[bool, bool]:
        """Return whether one run more could change the figures, now and before; counts, never."""
        now, before = self.samples
        counts = self.in_words is _count
        return not counts and numbers.few(now), not counts and numbers.few(before)

    @property
    def change(self) -> str | None:
        """Return the change of the figure, in its own unit; None where there is none to compare."""
        if self.now is None or self.before is None or self.few[1]:
            return None
        difference = self.now - self.before
        if round(difference, 3) == 0:
            return "0"
        points = f"{abs(difference) * 100:.1f} points"
        size = points if self.in_words is numbers.percent else self.in_words(abs(difference))
        if size in {"0.0 points", self.in_words(0)}:  # less than can be told
            return "0"
        return f"{'-' if difference < 0 else '+'}{size}"

    @property
    def compared(self) -> str:
        """Say with what the figure is compared, or why with nothing."""
        if self.few[1]:
            return f"{count(self.samples[1], self.noun)} before: too few to compare"
        return "vs before" if self.change else "none before"

    def extent(self, course: Sequence[float], unit: str) -> str:
        """Say between which values the figure went; "" where it has no course."""
        if len(course) < 2:  # noqa: PLR2004 - of which no shape is drawn
            return ""
        low, high = self.in_words(min(course)), self.in_words(max(course))
        return f"By {unit}, between {low} and {high}."


def show(here: Visitor, asked: Asked) -> None:
    """Show the key figures; each of them is the link to the runs that it is made of."""
    courses = _courses(asked)
    with st.grid(4, min_column_width=155, key="key-figures", gap="small"):
        for card in cards(asked):
            _show(here, asked, card, courses.get(card.key, ()))


def _show(here: Visitor, asked: Asked, card: Card, course: Sequence[float]) -> None:
    with st.container(border=True, height="stretch", gap="xsmall", key=f"kpi-{card.key}"):
        extent = card.extent(course, asked.unit)
        meaning = f"{DEFINITIONS[card.meaning]} Compared with the {asked.words} before. {extent}"
        st.metric(
            card.label,
            card.in_words(card.now),
            delta=0 if card.change == "0" else card.change,
            delta_color=card.good,
            delta_description=None if card.few[1] else card.compared,
            help=meaning.strip(),
        )
        if card.few[1]:
            st.caption(card.compared)  # it wraps, where a metric would cut it
        is_share = card.in_words is numbers.percent
        sparkline.show(course, f"{card.label}: {extent}", from_zero=not is_share)
        if card.few[0]:
            only = f"only {count(card.samples[0], card.noun)}"
            st.badge(only, icon=":material/scatter_plot:", color="gray", help=FEW_HELP)
        if card.note:
            st.caption(card.note)
        behind = replace(asked, wanted=filter_behind(asked, card.key))
        show_list_link(here, behind, f"{card.label}: {count(card.samples[0], 'run')}")


def _courses(asked: Asked) -> Mapping[str, Sequence[float]]:
    """Return how figures went over the period, by the key of their card; gaps are left out."""
    by = (asked.wanted, asked.zone, asked.unit)
    ended, timed = cached.read(over_time.ended, *by), cached.read(over_time.timed, *by)
    handled = cached.read(over_time.handled, *by)
    whole, judged, completed, failed = (
        _by_time(asked, ended, statuses)
        for statuses in (tuple(RunStatus), JUDGED, (RunStatus.COMPLETED,), FAILED)
    )
    times = asked.time_axis()
    return {
        "runs": [whole[at] for at in times],
        "failures": [failed[at] for at in times],
        "run_success": [completed[at] / judged[at] for at in times if judged[at]],
        "median": [row.median for row in timed],
        "p95": [row.p95 for row in timed],
        "applied": [row.created + row.updated + row.removed for row in handled],
        "row_success": [
            part
            for row in handled
            if (part := share(kept := row.created + row.updated + row.unchanged, kept + row.failed))
            is not None
        ],
    }


def _by_time(
    asked: Asked, ended: Sequence[over_time.Ended], statuses: Sequence[str]
) -> Counter[datetime]:
    counted = Counter[datetime]()
    for row in ended:
        if row.status in statuses:
            counted[asked.local(row.at)] += row.runs
    return counted


def filter_behind(asked: Asked, key: str) -> filters.Filter:
    """Return the filter of the runs that the figure is made of."""
    return replace(asked.wanted, status=LIST_BEHIND[key])


def show_list_link(here: Visitor, asked: Asked, label: str) -> None:
    """Show the link to the list of the runs that are asked for."""
    st.page_link(
        page_file("audit"),
        label=label,
        icon=":material/list:",
        query_params={
            ORGANIZATION: here.organization.slug,
            ORGANIZATIONS: filters.SEPARATOR.join(asked.slugs),
            **filters.to_address(asked.wanted),
        },
    )


def cards(asked: Asked) -> list[Card]:
    """Read the key figures of the period, and of the one before."""
    periods = (asked.wanted, asked.wanted.earlier())
    questions = (key_figures.of_runs, key_figures.of_rows, key_figures.of_recovery)
    asked_for = [(question, which) for question in questions for which in periods]
    now, before, rows, rows_before, mend, mend_before = cached.read_all(asked_for)
    runs, success, median, p95 = _of_runs(now, before)
    row_success, applied = _of_rows(rows, rows_before)
    failures, recovery = _of_failures(mend, mend_before, compare=bool(before.runs))
    return [runs, success, row_success, failures, median, p95, applied, recovery]


def _of_runs(now: RunFigures, before: RunFigures) -> Iterator[Card]:
    judged, timed = (now.judged, before.judged), (now.completed, before.completed)
    yield Card(
        key="runs",
        label="Runs",
        icon=":material/sync:",
        now=now.runs,
        before=before.runs or None,
        samples=(now.runs, before.runs),
        in_words=_count,
        good="off",
        meaning="Runs",
    )
    yield Card(
        key="run_success",
        label="Run success rate",
        icon=":material/check_circle:",
        now=now.success,
        before=before.success,
        samples=judged,
        in_words=numbers.percent,
        good="normal",
        meaning="Run success rate",
    )
    yield Card(
        key="median",
        label="Median duration",
        icon=":material/timer:",
        now=now.median,
        before=before.median,
        samples=timed,
        in_words=numbers.seconds,
        good="inverse",
        meaning="Duration",
    )
    yield Card(
        key="p95",
        label="p95 duration",
        icon=":material/speed:",
        now=now.p95,
        before=before.p95,
        samples=timed,
        in_words=numbers.seconds,
        good="inverse",
        meaning="Duration",
    )


def _of_rows(now: RowFigures, before: RowFigures) -> Iterator[Card]:
    samples = (now.runs, before.runs)
    yield Card(
        key="row_success",
        label="Row success rate",
        icon=":material/table_rows:",
        now=now.success,
        before=before.success,
        samples=samples,
        in_words=numbers.percent,
        good="normal",
        meaning="Row success rate",
    )
    yield Card(
        key="applied",
        label="Rows applied",
        icon=":material/edit_note:",
        now=now.applied,
        before=before.applied if before.runs else None,
        samples=samples,
        in_words=_count,
        good="off",
        meaning="Rows applied",
    )


def _of_failures(now: Recovery, before: Recovery, *, compare: bool) -> Iterator[Card]:
    samples = (now.failures, before.failures)
    waiting = now.failures - now.recovered
    yield Card(
        key="failures",
        label="Failed runs",
        icon=":material/error:",
        now=now.failures,
        before=before.failures if compare else None,
        samples=samples,
        in_words=_count,
        good="inverse",
        meaning="Failed runs",
    )
    yield Card(
        key="recovery",
        label="Time to recover",
        icon=":material/healing:",
        now=now.median,
        before=before.median,
        samples=samples,
        in_words=numbers.seconds,
        good="inverse",
        meaning="Time to recover",
        note=f"{waiting:,} not recovered yet" if waiting else "",
        noun="failed run",
    )


def _count(value: float | None) -> str:
    return numbers.whole(None if value is None else int(value))
