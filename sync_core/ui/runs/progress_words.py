"""The progress of a run in words: what it does, how far it is, how long it will take."""

from datetime import UTC, datetime

from sync_core.catalogue import resources
from sync_core.foundation.vocabulary import WITHOUT_WORKER
from sync_core.runs import Run
from sync_core.runs.progress import Progress
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.parts import time_left
from sync_core.ui.parts.words import ordinal


def of(run: Run, state: RunState) -> Progress:
    """Return the progress of the run's present attempt; an empty one where nobody knows it."""
    known = state.progress.get(run.id)
    return known if known and known.attempt == run.attempt else Progress()


def sentence(run: Run, state: RunState) -> str:
    """Return what is being done, with done of total and the live counts."""
    current = of(run, state)
    if not current.phase:
        return waiting(run, state)
    counted = ", ".join(f"{number:,} {what}" for what, number in current.counts.items())
    parts = [current.sentence, _extent(current), counted]
    return " · ".join(part for part in parts if part)


def told(run: Run, state: RunState) -> str:
    """Return what is being done, how far it is, and how long it will take."""
    percent = f"{min(of(run, state).percent, 100)}%" if of(run, state).phase else ""
    parts = [sentence(run, state), percent, left(run, state)]
    return " · ".join(part for part in parts if part)


def left(run: Run, state: RunState) -> str:
    """Return about how long the run will take from now on; "" where nobody can know."""
    usual = state.usual.get(run.resource, {})
    steps = resources.CATALOGUE[run.resource].steps
    return time_left.words(of(run, state), steps, usual, datetime.now(UTC))


def waiting(run: Run, state: RunState) -> str:
    """Return what a run waits for of which there is no progress yet."""
    if run.status not in WITHOUT_WORKER:
        return "Working"
    position = state.queue_positions.get(run.id)
    return "Waiting for a worker" + (f", {ordinal(position)} in the queue" if position else "")


def _extent(current: Progress) -> str:
    """Return done and total, where they are known; a total that was exceeded is none."""
    amount = current.amount
    if not amount.done or not amount.unit:  # its sentence tells it
        return ""
    if amount.total and amount.done <= amount.total:
        return f"{amount.done:,} of {amount.total:,} {amount.unit}"
    return f"{amount.done:,} {amount.unit}"
