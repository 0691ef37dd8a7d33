"""The key figures: each beside that of the period before, and with the list behind it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import streamlit as st

from sync_core import filters
from sync_core.analytics import key_figures
from sync_core.analytics.asking import DEFINITIONS, FEW
from sync_core.analytics.key_figures import LIST_BEHIND
from sync_core.ui.analytics import numbers, reading
from sync_core.ui.analytics.period import Asked
from sync_core.ui.navigation import page_file
from sync_core.ui.visitor import CHOICE, Visitor
from sync_core.ui.words import count

WHOSE = "organizations"  # in the address of the list, by their short names
FEW_HELP = f"Few samples: fewer than {FEW} runs. One more could change the figure."
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
    told: Callable[[float | None], str]
    good: Good
    meaning: str
    note: str = ""

    @property
    def few(self) -> tuple[bool, bool]:
        """Whether one run more could change the figures; it changes no count by much."""
        now, before = self.samples
        counts = self.told is _count
        return not counts and numbers.few(now), not counts and numbers.few(before)

    @property
    def change(self) -> str | None:
        """What became of the figure, in its own unit; None where there is nothing to compare."""
        if self.now is None or self.before is None:
            return None
        difference = self.now - self.before
        if round(difference, 3) == 0:
            return "0"
        points = f"{abs(difference) * 100:.1f} points"
        told = points if self.told is numbers.percent else self.told(abs(difference))
        return f"{'-' if difference < 0 else '+'}{told}"


def show(here: Visitor, asked: Asked) -> None:
    """Show the key figures."""
    st.caption(f"Each beside the {asked.words} before.")
    with st.grid(4, min_column_width=155, key="key-figures"):
        for card in cards(asked):
            _show(here, asked, card)


def _show(here: Visitor, asked: Asked, card: Card) -> None:
    with st.container(border=True, height="stretch", gap="xsmall", key=f"kpi-{card.key}"):
        change, (few, few_before) = card.change, card.few
        before = f"vs before{' (few)' if few_before else ''}" if change else "none before"
        st.metric(
            card.label,
            card.told(card.now),
            delta=0 if change == "0" else change,
            delta_color=card.good,
            delta_description=before,
            help=DEFINITIONS[card.meaning],
            icon=card.icon,
        )
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            list_link(
                here, replace(asked, wanted=behind(asked, card.key)), count(card.samples[0], "run")
            )
            if few:
                st.badge("few", icon=":material/scatter_plot:", color="gray", help=FEW_HELP)
        if card.note:
            st.caption(card.note)


def behind(asked: Asked, key: str) -> filters.Filter:
    """Give the filter of the runs that the figure is made of."""
    return replace(asked.wanted, status=LIST_BEHIND[key])


def list_link(here: Visitor, asked: Asked, label: str) -> None:
    """Lead to the list of the runs that are asked for."""
    if not Path(page_file("audit")).exists():
        st.caption(label, width="content")
        return
    st.page_link(
        page_file("audit"),
        label=label,
        icon=":material/list:",
        query_params={
            CHOICE: here.organization.slug,
            WHOSE: filters.SEPARATOR.join(asked.slugs),
            **filters.to_address(asked.wanted),
        },
    )


def cards(asked: Asked) -> list[Card]:
    """Read the key figures of the period, and of the one before."""
    wanted, earlier = asked.wanted, asked.wanted.earlier()
    now, before = (reading.read(key_figures.of_runs, which) for which in (wanted, earlier))
    rows, rows_before = (reading.read(key_figures.of_rows, which) for which in (wanted, earlier))
    mend, mend_before = (
        reading.read(key_figures.of_recovery, which) for which in (wanted, earlier)
    )
    ran = bool(before.runs)
    timed = (now.completed, before.completed)
    failed = (mend.failures, mend_before.failures)
    return [
        Card(
            *("runs", "Runs", ":material/sync:"),
            *(now.runs, before.runs if ran else None, (now.runs, before.runs)),
            *(_count, "off", "Runs"),
        ),
        Card(
            *("run_success", "Run success rate", ":material/check_circle:"),
            *(now.success, before.success, (now.judged, before.judged)),
            *(numbers.percent, "normal", "Run success rate"),
        ),
        Card(
            *("row_success", "Row success rate", ":material/table_rows:"),
            *(rows.success, rows_before.success, (rows.runs, rows_before.runs)),
            *(numbers.percent, "normal", "Row success rate"),
        ),
        Card(
            *("failures", "Failed runs", ":material/error:"),
            *(mend.failures, mend_before.failures if ran else None, failed),
            *(_count, "inverse", "Failed runs"),
        ),
        Card(
            *("median", "Median duration", ":material/timer:"),
            *(now.median, before.median, timed),
            *(numbers.seconds, "inverse", "Duration"),
        ),
        Card(
            *("p95", "p95 duration", ":material/speed:"),
            *(now.p95, before.p95, timed),
            *(numbers.seconds, "inverse", "Duration"),
        ),
        Card(
            *("applied", "Rows applied", ":material/edit_note:"),
            *(rows.applied, rows_before.applied if ran else None, (rows.runs, rows_before.runs)),
            *(_count, "off", "Rows applied"),
        ),
        Card(
            *("recovery", "Time to recover", ":material/healing:"),
            *(mend.median, mend_before.median, failed),
            *(numbers.seconds, "inverse", "Time to recover"),
            note=_open(mend),
        ),
    ]


def _count(value: float | None) -> str:
    return numbers.whole(None if value is None else int(value))


def _open(found: key_figures.Recovery) -> str:
    waiting = found.failures - found.recovered
    return f"{waiting:,} not recovered yet" if waiting else ""
