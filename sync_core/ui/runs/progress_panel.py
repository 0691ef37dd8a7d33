"""The progress of an active run as one piece of HTML: each further element costs every poll."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from sync_core.catalogue.phases import Band
from sync_core.runs.progress import Progress
from sync_core.ui.parts.words import lasted, size

TO_COME_ICON, DONE_ICON = "radio_button_unchecked", "check_circle"


@dataclass(frozen=True)
class Head:
    """The first line: how the run stands, and since when."""

    word: str
    icon: str
    since: str


def html(
    title: str,
    head: Head,
    current: Progress,
    bands: Sequence[Band],
    elapsed: float,
    left: str,
    text: str,
) -> str:
    """Return the head, the steps, the bar and what is known in figures; `text` is above the bar."""
    percent = min(current.percent, 100)
    return (
        f'<div class="run">{_head(head)}<ol class="steps">{"".join(_steps(current, bands))}</ol>'
        + (f"<p>{escape(text)}</p>" if text else "")
        + f'<div class="bar" role="progressbar" aria-label="{escape(title)}" aria-valuemin="0"'
        f' aria-valuemax="100" aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
        f'<dl class="facts">{"".join(_figures(current, elapsed, left))}</dl></div>'
    )


def _head(head: Head) -> str:
    icon = f'<span class="icon" aria-hidden="true">{head.icon}</span>'
    word, since = escape(head.word), escape(head.since)
    return f"<header><strong>{icon} {word}</strong> <small>{since}</small></header>"


def _steps(current: Progress, bands: Sequence[Band]) -> Iterator[str]:
    names = [band.name for band in bands]
    current_index = names.index(current.phase) if current.phase in names else -1
    for index, band in enumerate(bands):
        kind, icon, how = "", TO_COME_ICON, "to come"
        if index < current_index:
            kind, icon, how = "done", DONE_ICON, "done"
        elif index == current_index:
            kind, icon, how = "now", band.icon, "under way"
        words = escape(band.title)
        here = ' aria-current="step"' if kind == "now" else ""
        yield (
            f'<li class="{kind}"{here}><span class="icon" aria-hidden="true">{icon}</span>'
            f'{words}<span class="unseen">, {how}</span></li>'
        )


def _figures(current: Progress, elapsed: float, left: str) -> Iterator[str]:
    yield _figure("Done", f"{min(current.percent, 100)} %")
    if current.done and current.unit:  # else its sentence tells it
        whole = current.total if current.total and current.done <= current.total else None
        of = f" of {whole:,}" if whole else ""
        yield _figure(current.unit.capitalize(), f"{current.done:,}{of}")
    if current.read_bytes:
        of = f" of {size(current.all_bytes)}" if current.all_bytes else ""
        yield _figure("Downloaded", f"{size(current.read_bytes)}{of}")
    for what, number in current.counts.items():
        yield _figure(what.capitalize(), f"{number:,}")
    if elapsed:
        yield _figure("Time", lasted(round(elapsed)))
    if left:
        yield _figure("Left", left.removesuffix(" left"))


def _figure(label: str, value: str) -> str:
    return f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>"
