"""How long a run will take, estimated from earlier ones."""

from datetime import UTC, datetime

import streamlit as st

from sync_core import runs
from sync_core.foundation import db
from sync_core.foundation.counting import HOUR, MINUTE, count
from sync_core.runs import Run

LONG_SECONDS = 300  # after which the page says that it takes long
STEP_SECONDS = 5  # to which an estimate is rounded
EXTRAPOLATED_PERCENT = 10  # of the bar, from which the bar itself gives an estimate


def words(run: Run, percent: int, usual: float | None) -> str:
    """Return about how long it will take: "about 20 s left", or "" where nobody can know."""
    seconds = left(elapsed(run), percent, usual)
    if seconds is None:
        return ""
    if seconds < STEP_SECONDS:
        return "a few seconds left"
    if seconds < MINUTE:
        return f"about {round(seconds / STEP_SECONDS) * STEP_SECONDS} s left"
    if seconds < HOUR:
        return f"about {round(seconds / MINUTE)} min left"
    return f"about {count(round(seconds / HOUR), 'hour')} left"


def elapsed(run: Run) -> float:
    """Return the seconds since a worker took the run; 0 while it waits for one."""
    if run.started_at is None:
        return 0.0
    return max(0.0, (datetime.now(UTC) - run.started_at).total_seconds())


def left(elapsed_seconds: float, percent: int, usual: float | None) -> float | None:
    """Return the seconds left: by the earlier runs until they are exceeded, then by the bar."""
    if usual is not None and elapsed_seconds < usual:
        return usual - elapsed_seconds
    if percent < EXTRAPOLATED_PERCENT or not elapsed_seconds:
        return None
    return elapsed_seconds * (100 - percent) / percent


@st.cache_resource(ttl=60, max_entries=500, show_spinner=False)
def usual(organization_id: int, resource: str) -> float | None:
    """Return the seconds that the resource's runs usually take, where there were any."""
    with db.begin() as connection:
        return runs.usual_seconds(connection, organization_id, resource)
