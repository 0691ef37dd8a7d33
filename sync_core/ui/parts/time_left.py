"""How long a run will take, learnt from earlier ones."""

from datetime import UTC, datetime

import streamlit as st

from sync_core import runs
from sync_core.foundation import db
from sync_core.runs import Run
from sync_core.ui.parts.words import HOUR, MINUTE, count

SOFT_LIMIT = 300  # seconds after which the page says that it takes long
FEW = 5  # seconds
ENOUGH = 10  # percent of the bar from which the bar itself tells the time


def words(run: Run, percent: int, usual: float | None) -> str:
    """Tell about how long it will take, where anybody can know: "about 20 s left"."""
    seconds = left(elapsed(run), percent, usual)
    if seconds is None:
        return ""
    if seconds < FEW:
        return "a few seconds left"
    if seconds < MINUTE:
        return f"about {round(seconds / FEW) * FEW} s left"
    if seconds < HOUR:
        return f"about {round(seconds / MINUTE)} min left"
    return f"about {count(round(seconds / HOUR), 'hour')} left"


def elapsed(run: Run) -> float:
    """Return the seconds since a worker took the run; 0 while it waits for one."""
    if run.started_at is None:
        return 0.0
    return max(0.0, (datetime.now(UTC) - run.started_at).total_seconds())


def left(gone: float, percent: int, usual: float | None) -> float | None:
    """Return the seconds left: trust the earlier runs until they are exceeded, then the bar."""
    if usual is not None and gone < usual:
        return usual - gone
    if percent < ENOUGH or not gone:
        return None
    return gone * (100 - percent) / percent


@st.cache_resource(ttl=60, max_entries=500, show_spinner=False)
def usual(organization_id: int, resource: str) -> float | None:
    """Return the seconds that the resource's runs usually take, where there were any."""
    with db.begin() as connection:
        return runs.usual_seconds(connection, organization_id, resource)
