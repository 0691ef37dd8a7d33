"""The log of a run: live as one piece of HTML, afterwards from the run's attempts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import streamlit as st

from sync_core.api import addresses
from sync_core.runs import Run, progress
from sync_core.runs.progress import Level, Line
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.html import render
from sync_core.ui.runs import downloads

MAX_LINES = 200
CLEARED = "log-cleared"  # session key: lines before this moment are not shown


def show_live(here: Visitor, run: Run, lines: Sequence[Line]) -> None:
    """Show the log of a run on its way, with a way to keep it, and to clear what has been read."""
    if not lines:
        return
    since = st.session_state.get(CLEARED, 0.0)
    shown = [line for line in lines if line.at > since][-MAX_LINES:]
    st.button(
        "Clear",
        type="tertiary",
        icon=":material/clear_all:",
        key=f"clear-log-{run.id}",
        help="Clear the view; the log itself is kept.",
        on_click=_clear,
    )
    address = addresses.of_log(run.id, here.organization.slug)
    st.html(html(shown, here.zone, address, live=True))


def show_lines(here: Visitor, run: Run, lines: Sequence[Line]) -> None:
    """Show the end of the log of a run that has ended."""
    st.html(html(lines[-MAX_LINES:], here.zone, addresses.of_log(run.id, here.organization.slug)))


def html(lines: Sequence[Line], zone: ZoneInfo, address: str, *, live: bool = False) -> str:
    """Return the lines, the newest last and in sight, and the link to the file of all."""
    told = [_line(line, zone) for line in lines]
    return render("run_log", address=address, lines=told, live=live)


@lru_cache(1_000)  # each line is drawn again with every poll
def _line(line: Line, zone: ZoneInfo) -> tuple[Level, str]:
    return line.level, progress.as_text([line], zone, "%H:%M:%S")


def _clear() -> None:
    st.session_state[CLEARED] = datetime.now(UTC).timestamp()


def show_kept(here: Visitor, run: Run, lines: Sequence[Line]) -> None:
    """Show the log that the attempts at a run have left."""
    if not lines:
        about = ("Its log follows.", "While it runs, the log is in its details, above.")
        about = about if run.active else ("No log is kept of it.", "")
        paging.show_empty(":material/article:", *about)
        return
    text = progress.as_text(lines[-MAX_LINES:], here.zone, "%H:%M:%S")
    st.code(text, language=None, wrap_lines=True)
    downloads.offer("Download the log", addresses.of_log(run.id, here.organization.slug))
