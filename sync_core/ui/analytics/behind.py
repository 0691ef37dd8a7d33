"""The runs behind a bar or a point: a click on it lists them, over the page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from sync_core.analytics import habits, key_figures
from sync_core.foundation.counting import count
from sync_core.runs import MADE_UP, Run, filters
from sync_core.runs.filters import Filter
from sync_core.ui.analytics import cached, cards
from sync_core.ui.analytics.period import Asked, title
from sync_core.ui.frame import visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import brief, literal, look, moment

CHOSEN = "behind"  # the address of what was clicked, until it is shown
MAX_LISTED = 12


def address(
    asked: Asked,
    at: datetime | None = None,
    resource: tuple[str, ...] = (),
    status: tuple[str, ...] = (),
) -> str:
    """Return what asks for the runs behind a mark: of a time of the axis, a resource, a status."""
    was = asked.wanted
    wanted = replace(was, resource=resource or was.resource, status=status or was.status)
    if at is not None:
        step = timedelta(hours=1) if asked.unit == "hour" else timedelta(days=1)
        since, until = asked.span
        wanted = replace(
            wanted,
            since=max(since, asked.there(at).astimezone(UTC)),
            until=min(until, asked.there(at + step).astimezone(UTC)),
        )
    return urlencode(filters.to_address(wanted))


def remember(key: str) -> None:
    """Keep what was clicked in the chart of this key; the chart itself forgets it."""
    points = st.session_state[key].selection.points
    found = [text for point in points if (text := _text(point.get("customdata")))]
    if found:
        st.session_state[CHOSEN] = found[0]
        st.session_state[turns(key)] = st.session_state.get(turns(key), 0) + 1


def turns(key: str) -> str:
    """Return where it is counted how often a chart was clicked: it is drawn anew after each."""
    return f"turns-{key.rsplit('-', 1)[0]}"


def _text(value: object) -> str:
    """Return the text that stands behind a mark; some charts wrap it in a list."""
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) else ""


def show_chosen(here: Visitor, asked: Asked) -> None:
    """List the runs behind the mark that was clicked, if one was."""
    text = st.session_state.pop(CHOSEN, None)
    if text:
        wanted = filters.from_address(dict(parse_qsl(text)), asked.wanted.organizations)
        listed = partial(_listed, here, asked, wanted)
        visitor.dialog(here, "Runs behind it", ":material/list:", listed, width="large")


def _listed(here: Visitor, asked: Asked, wanted: Filter) -> None:
    whole = cached.read(key_figures.of_runs, wanted).runs
    found = cached.read(habits.newest, wanted, MAX_LISTED)
    st.caption(_extent(here, wanted, len(found), whole))
    for run in found:
        st.markdown(_line(here, run))
    cards.show_list_link(here, replace(asked, wanted=wanted), "Open them in the audit")


def _extent(here: Visitor, wanted: Filter, shown: int, whole: int) -> str:
    """Say of which resource and time the runs are, and how many of them are shown."""
    names = ", ".join(map(title, wanted.resource)) or "All resources"
    since = moment(wanted.since, here.zone) if wanted.since else ""
    until = moment(wanted.until, here.zone) if wanted.until else ""
    some = f" The newest {shown:,} of {count(whole, 'run')}." if shown < whole else ""
    return f"{literal(names)}, {since} to {until}.{some}"


def _line(here: Visitor, run: Run) -> str:
    """Return a run on one line: how it ended, what of, when, by whom, and what it said."""
    how = look(run)
    head = f"{how.icon} **{literal(how.word)}** · {literal(title(run.resource))}"
    who = f"{moment(run.queued_at, here.zone)} by {literal(run.requested_by)}"
    who += f" :gray[({MADE_UP})]" if run.trigger == MADE_UP else ""
    said = f"  \n:small[{literal(brief(run.message))}]" if run.message else ""
    return f"{head} · {who}{said}"
