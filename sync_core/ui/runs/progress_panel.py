"""The progress of an active run as one piece of HTML: each further element costs every poll."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync_core.catalogue.phases import Band
from sync_core.runs.progress import Progress
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import lasted, size

TO_COME_ICON, DONE_ICON = "radio_button_unchecked", "check_circle"


@dataclass(frozen=True)
class Step:
    """A step of the run: done, the one of now, or to come."""

    title: str
    icon: str
    kind: str  # its CSS class
    how: str  # for screen readers


def html(current: Progress, bands: Sequence[Band], elapsed: float, left: str, text: str) -> str:
    """Return the steps, and what is known in figures; `text` stands between them."""
    return render(
        "progress_panel",
        steps=_steps(current, bands),
        text=text,
        figures=_figures(current, elapsed, left),
    )


def _steps(current: Progress, bands: Sequence[Band]) -> Iterator[Step]:
    names = [band.name for band in bands]
    current_index = names.index(current.phase) if current.phase in names else -1
    for index, band in enumerate(bands):
        if index < current_index:
            yield Step(band.title, DONE_ICON, "done", "done")
        elif index == current_index:
            yield Step(band.title, band.icon, "now", "under way")
        else:
            yield Step(band.title, TO_COME_ICON, "", "to come")


def _figures(current: Progress, elapsed: float, left: str) -> Iterator[tuple[str, str]]:
    yield "Done", f"{min(current.percent, 100)}%"
    amount, download, traffic = current.amount, current.download, current.traffic
    if amount.done and amount.unit:  # else its sentence tells it
        whole = amount.total if amount.total and amount.done <= amount.total else None
        of = f" of {whole:,}" if whole else ""
        yield amount.unit.capitalize(), f"{amount.done:,}{of}"
    if download and download.read:
        of = f" of {size(download.whole)}" if download.whole else ""
        yield "Downloaded", f"{size(download.read)}{of}"
    elif traffic.bytes:
        yield "Downloaded", size(traffic.bytes)
    if traffic.requests:
        yield "Requests", f"{traffic.requests:,}"
    for what, number in current.counts.items():
        yield what.capitalize(), f"{number:,}"
    if elapsed:
        yield "Time", lasted(round(elapsed))
    if left:
        yield "Left", left.removesuffix(" left")
