"""How long a run will take: each of its phases as long as in earlier runs, or as it shows now."""

from collections.abc import Mapping
from datetime import UTC, datetime

import streamlit as st

from sync_core import runs
from sync_core.catalogue.phases import Band, Steps
from sync_core.foundation import db
from sync_core.foundation.counting import HOUR, MINUTE, count
from sync_core.runs import Run
from sync_core.runs.progress import Progress

LONG_SECONDS = 300  # after which the page says that it takes long
STEP_SECONDS = 5  # to which an estimate is rounded
EXTRAPOLATED = 0.1  # of a phase, from which its own pace tells more than earlier runs

Usual = Mapping[str, float]  # the seconds of each phase, by its name


def words(current: Progress, steps: Steps, usual: Usual, now: datetime) -> str:
    """Return about how long it will take: "about 20 s left", or "" where nobody can know."""
    seconds = left(current, steps, usual, now)
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


def left(current: Progress, steps: Steps, usual: Usual, now: datetime) -> float | None:
    """Return the seconds left: of the present phase, and of those to come; None: not known."""
    names = [band.name for band in steps.bands]
    if current.phase not in names:
        return None
    band, *to_come = steps.bands[names.index(current.phase) :]
    parts = [_of_phase(current, band, _usual_of(band, steps, usual), now)]
    parts += [_usual_of(one, steps, usual) for one in to_come]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _usual_of(band: Band, steps: Steps, usual: Usual) -> float | None:
    """Return the seconds that a phase usually takes: its part of those that are kept together."""
    kept = steps.timed_as(band)
    together = sum(_width(one) for one in steps.bands if steps.timed_as(one) == kept)
    return usual[kept] * _width(band) / together if kept in usual else None


def _of_phase(current: Progress, band: Band, usual: float | None, now: datetime) -> float | None:
    """Return the seconds left of a phase: by its own pace, where that shows, else as usual."""
    done = (current.percent - band.start) / _width(band)
    took = max(0.0, now.timestamp() - current.since) if current.since else 0.0
    if took and done >= EXTRAPOLATED:
        return took * (1 - done) / done
    return None if usual is None else max(0.0, usual - took)


def _width(band: Band) -> int:
    return band.end - band.start


@st.cache_resource(ttl=60, max_entries=500, show_spinner=False)
def usual(organization_id: int, resource: str) -> Usual:
    """Return the seconds that each phase of the resource's runs usually takes."""
    with db.within(organization_id) as connection:
        return runs.usual_phases(connection, organization_id, resource)
