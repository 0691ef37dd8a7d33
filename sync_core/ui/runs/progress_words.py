"""The progress of a run in words: what it does, how far it is, how long it will take."""

from sync_core.runs import Run
from sync_core.runs.progress import Progress
from sync_core.ui.frame.run_state import News
from sync_core.ui.parts import time_left
from sync_core.ui.parts.words import literal, ordinal


def of(run: Run, found: News) -> Progress:
    """Return the progress of the run's present attempt; an empty one where nobody knows it."""
    known = found.progress.get(run.id)
    return known if known and known.attempt == run.attempt else Progress()


def sentence(run: Run, found: News) -> str:
    """Tell in Markdown what is being done, done of total, percent and the time left."""
    current = of(run, found)
    if not current.phase:
        return waits(run, found)
    counted = ", ".join(f"{number:,} {literal(what)}" for what, number in current.counts.items())
    left = time_left.words(run, current.percent, found.usual.get(run.resource))
    parts = [literal(current.sentence), _extent(current), counted, f"{current.percent} %", left]
    return " · ".join(part for part in parts if part)


def waits(run: Run, found: News) -> str:
    """Tell what a run waits for of which there is no progress yet."""
    if run.status not in {"queued", "interrupted"}:
        return "Working"
    place = found.places.get(run.id)
    return "Waiting for a worker" + (f", {ordinal(place)} in the queue" if place else "")


def _extent(current: Progress) -> str:
    """Tell done and total, where they are known; a total that was exceeded is none."""
    if not current.done or not current.unit:  # its sentence tells it
        return ""
    if current.total and current.done <= current.total:
        return f"{current.done:,} of {current.total:,} {current.unit}"
    return f"{current.done:,} {current.unit}"
