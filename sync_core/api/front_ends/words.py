"""What our states and phases are called by front ends that know other ones: one table for all.

None of them knows a plan that waits for a person, or a cancelled run: nothing was changed, so both
are failures to them, and the message says which. A run that goes on by itself is on its way.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from sync_core.catalogue.phases import Band, Steps
from sync_core.foundation.vocabulary import RunStatus
from sync_core.runs import Run
from sync_core.runs.progress import Progress

PortalState = Literal["running", "completed", "failed", "not_found"]
DashboardState = Literal[
    "idle",
    "starting",
    "fetching_patients",
    "fetching_appointments",
    "analyzing",
    "storing",
    "completed",
    "failed",
]
SheetState = Literal["idle", "downloading", "processing", "saving", "complete", "error"]
PanelState = Literal[RunStatus.RUNNING, RunStatus.COMPLETED, RunStatus.FAILED]
Milestone = Literal["connection", "api_fetch", "processing", "database_storage"]

WAITS = "Nothing was changed yet: the plan waits for a decision on its page."


class Words(NamedTuple):
    """What a state of ours is called: by the admin portal, and so on."""

    portal: PortalState
    dashboard: DashboardState
    sheet: SheetState
    panel: PanelState


class Phase(NamedTuple):
    """What a phase of a running run is called; the portal and the panel say "running" in each."""

    dashboard: DashboardState
    sheet: SheetState
    milestone: Milestone


_BEGINS = Words("running", "starting", "downloading", RunStatus.RUNNING)
_DONE = Words("completed", "completed", "complete", RunStatus.COMPLETED)
_FAILED = Words("failed", "failed", "error", RunStatus.FAILED)

NO_PORTAL_RUN: PortalState = "not_found"
NO_DASHBOARD_RUN: DashboardState = "idle"

STATES: Mapping[RunStatus, Words] = {
    RunStatus.QUEUED: Words("running", "starting", "idle", RunStatus.RUNNING),
    RunStatus.RUNNING: _BEGINS,  # until its phase is known: see PHASES
    RunStatus.INTERRUPTED: _BEGINS,  # it continues by itself
    RunStatus.COMPLETED: _DONE,
    RunStatus.PARTIAL: _DONE,  # its message tells of the failed rows
    RunStatus.WAITING: _FAILED,  # nothing is changed unless a person decides: see WAITS
    RunStatus.FAILED: _FAILED,
    RunStatus.CANCELLED: _FAILED,
    RunStatus.TIMED_OUT: _FAILED,
    RunStatus.EXPIRED: _FAILED,
}
PHASES: Mapping[str, Phase] = {
    "downloading": Phase("fetching_patients", "downloading", "api_fetch"),
    "processing": Phase("analyzing", "processing", "processing"),
    "saving": Phase("storing", "saving", "database_storage"),
    "initializing": Phase("starting", "downloading", "connection"),
    "checking_config": Phase("starting", "downloading", "connection"),
    "checking_credentials": Phase("starting", "downloading", "connection"),
    "fetching_patients": Phase("fetching_patients", "downloading", "api_fetch"),
    "fetching_appointments": Phase("fetching_appointments", "downloading", "api_fetch"),
    "loading_types": Phase("fetching_appointments", "downloading", "api_fetch"),
    "analyzing": Phase("analyzing", "processing", "processing"),
    "storing": Phase("storing", "saving", "database_storage"),
}
MILESTONES: Mapping[Milestone, tuple[int, int]] = {  # the part of the panel's bar, in percent
    "connection": (0, 5),
    "api_fetch": (5, 30),
    "processing": (30, 50),
    "database_storage": (50, 100),
}


def meaning(whose: str) -> str:
    """Return what each state of a front end means in our words: "starting: queued, interrupted"."""
    ours: dict[str, list[str]] = {}
    for status, words in STATES.items():
        ours.setdefault(getattr(words, whose), []).append(status)
    for name, phase in PHASES.items() if whose in Phase._fields else ():
        ours.setdefault(getattr(phase, whose), []).append(f"running ({name})")
    return "; ".join(f"{theirs}: {', '.join(names)}" for theirs, names in ours.items())


def dashboard(run: Run, known: Progress | None) -> DashboardState:
    """Return what the dashboard calls a run."""
    phase = _phase(run, known)
    return phase.dashboard if phase else STATES[run.status].dashboard


def sheet(run: Run, known: Progress | None) -> SheetState:
    """Return what a front end of sheets calls a run."""
    phase = _phase(run, known)
    return phase.sheet if phase else STATES[run.status].sheet


def milestone(run: Run, known: Progress | None) -> Milestone | None:
    """Return at which milestone of the panel a run is; None where it is at none."""
    phase = _phase(run, known)
    return phase.milestone if phase else None


def _phase(run: Run, known: Progress | None) -> Phase | None:
    if run.status != RunStatus.RUNNING or known is None:
        return None
    return PHASES.get(known.phase)


def message(run: Run, known: Progress | None) -> str:
    """Return in a sentence what a run is doing, or how it ended."""
    if run.status == RunStatus.WAITING:
        return WAITS
    if not run.active:
        return run.message
    return (known.sentence if known else "") or "Waiting for a worker"


def is_done(run: Run) -> bool:
    """Return whether a run has done what it was asked for, all of it or but for failed rows."""
    return STATES[run.status] == _DONE


def percent(run: Run, known: Progress | None) -> int:
    """Return how much of a run is done, 0 to 100; where it has failed, how far it came."""
    if is_done(run):
        return 100
    return known.percent if known else 0


def error(run: Run) -> str | None:
    """Return what went wrong with a run, and what to do; None where it did not fail as a whole."""
    if STATES[run.status] != _FAILED:
        return None
    return f"{message(run, None)} {run.advice}".strip()


def updated(run: Run, known: Progress | None) -> datetime:
    """Return since when what is told of a run is so."""
    at = [run.queued_at, run.started_at, run.finished_at]
    if run.active and known and known.at:
        at.append(datetime.fromtimestamp(known.at, UTC))
    return max(moment for moment in at if moment)


def by_milestones(steps: Steps, done: int) -> int:
    """Return how far the panel's bar is filled where ours is filled to `done` percent."""
    for milestone, (begin, end) in MILESTONES.items():
        bands = _bands(steps.bands, milestone)
        if bands and done <= bands[-1].end:
            width = bands[-1].end - bands[0].start
            return begin + round((end - begin) * (done - bands[0].start) / width)
    return 100


def _bands(bands: Sequence[Band], milestone: Milestone) -> list[Band]:
    return [band for band in bands if PHASES[band.name].milestone == milestone]
