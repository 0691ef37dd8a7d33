"""The log of a run: live from Redis, afterwards from the run's attempts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import streamlit as st
from redis import RedisError

from sync_core import db, kv, progress, tables
from sync_core.progress import Line
from sync_core.runs import Run
from sync_core.ui.news import SHARED
from sync_core.ui.visitor import Visitor

SHOWN, FEW = 200, 6  # lines
TALL = 150  # pixels
CLEARED = "log-cleared"  # session key: lines before this moment are not shown


def show_live(here: Visitor, run: Run, *, live: bool) -> None:
    """Show the log of a run on its way, with a way to clear what has been read, and to keep it."""
    lines = _lines(run.id) if live else []
    if not lines:
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"log-{run.id}"):
        st.caption("Live log", width="stretch")
        _download(here.zone, run, lines)
        st.button(
            "Clear",
            type="tertiary",
            icon=":material/clear_all:",
            key=f"clear-log-{run.id}",
            help="Clear the view; the log itself is kept.",
            on_click=_clear,
        )
    since = st.session_state.get(CLEARED, 0.0)
    shown = [line for line in lines if line.at > since][-SHOWN:]
    if shown:
        text, few = _text(here.zone, shown), len(shown) <= FEW
        st.code(text, language=None, wrap_lines=True, height="content" if few else TALL)


@st.cache_resource(ttl=SHARED, max_entries=100, show_spinner=False)
def _lines(run_id: int) -> list[Line]:
    """Read the log of a run on its way, once a second for all sessions of this process."""
    try:
        return progress.read_log(kv.client(), run_id)
    except RedisError:
        return []


def show_kept(here: Visitor, run: Run) -> None:
    """Show the log that an ended run left."""
    kept = tables.attempts.c
    with db.begin() as connection:
        logs = connection.execute(
            sa.select(kept.log).where(kept.run_id == run.id).order_by(kept.attempt)
        ).scalars()
        lines = [Line(**line) for log in logs for line in log]
    if lines:
        with st.expander("Log", icon=":material/article:"):
            st.code(_text(here.zone, lines[-SHOWN:]), language=None, wrap_lines=True)
            _download(here.zone, run, lines)


def _download(zone: ZoneInfo, run: Run, lines: Sequence[Line]) -> None:
    st.download_button(
        "Download",
        lambda: _text(zone, lines, day=True),
        f"{run.resource}-run-{run.id}.log",
        "text/plain",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"download-log-{run.id}",
    )


def _clear() -> None:
    st.session_state[CLEARED] = datetime.now(UTC).timestamp()


def _text(zone: ZoneInfo, lines: Sequence[Line], *, day: bool = False) -> str:
    form = "%Y-%m-%d %H:%M:%S %z" if day else "%H:%M:%S"
    return "\n".join(
        _line(line, datetime.fromtimestamp(line.at, zone).strftime(form)) for line in lines
    )


def _line(line: Line, at: str) -> str:
    level = "" if line.level == "info" else f"{line.level.upper()}  "
    return f"{at}  {level}{' '.join(line.text.split())}"
