"""Help: what results mean, how to work well, and what to do when something goes wrong."""

import pandas as pd
import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.phases import Band
from sync_core.foundation import settings
from sync_core.foundation.counting import count
from sync_core.foundation.errors import CATALOGUE, OWNER
from sync_core.ui import help_cells, help_decisions, help_examples, help_sources
from sync_core.ui.frame import preferences, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import page_head, paging
from sync_core.ui.parts.words import LOOKS, literal

OUTCOME_MEANINGS = {
    "Created": "A new record was added.",
    "Updated": "A record was there already, and something in it changed.",
    "Unchanged": "The record was as it is in the source. Nothing was written.",
    "Removed": "The record is no longer in the source, and the table's rule is to take it out.",
    "Skipped": "A rule leaves such rows out, for example FLAT employment. It has its own name.",
    "Failed": "The row should have worked. Fix it in the source, then sync again.",
}
STATUS_MEANINGS = {
    "queued": "It was requested, and a worker will take it.",
    "running": "It is running. You can keep working, reload, or leave.",
    "interrupted": "Its worker stopped. It continues by itself.",
    "waiting": "Its plan waits for a decision: somebody wants to see it first, or it is unusual.",
    "completed": "Every row is up to date.",
    "partial": "The rest is applied; some rows failed, or records are missing.",
    "failed": "It could not be done. The tables are as they were.",
    "timed_out": "It took longer than allowed. The tables are as they were.",
    "cancelled": "Somebody cancelled it. The tables are as they were.",
    "expired": "Nobody decided in time. The tables are as they were.",
}
GOOD_PRACTICE = """
- **Sync large sources at a quiet hour.** Small ones, below 1,000 rows, take seconds; more than
  10,000 rows may take minutes. The network and the load of the source's server decide.
- **Preview first** where the source has changed much, or somebody else edits it.
- **Wait for the end** before you make changes that depend on it.
- **Read the message** when a sync fails: it says what is wrong, where, and what to do.
- **Review the result**: the tab *What changed* shows every row, before and after.
- **A reload is safe.** The sync continues without the page, and a double click starts only one.
- **Close a notification** when you have read it. It stays closed, on all your devices.
"""
TROUBLESHOOTING = {
    "A sync does not start": "The button says why: somebody else has started it, or it was synced a"
    " moment ago. Where a sync waits for a worker, the page tells its place in the queue, and says"
    " so where no worker is alive: an administrator starts one. A lock never stays behind: a sync"
    " whose worker dies is taken over by another one within seconds.",
    "A sync seems stuck": "It tells by itself when it takes long. While its page says *Syncing*,"
    " a worker proves every few seconds that it lives; a dead one is replaced. You can cancel it.",
    "An error appears": "Do what its second sentence says, then press *Retry*. If it comes again,"
    " press *Copy details for support* and send them to your administrator.",
    "The data do not change": "Look at the notification: a sync that failed changes nothing. Then"
    " look at *Needs attention*: a row that fails keeps the values that it had.",
    "A notification is gone": "Somebody closed it on one of your devices. The tab *History* keeps"
    " every run with its message.",
    "The last sync ended a moment ago": "Two syncs of the same resource keep a few seconds apart."
    " Try again when the time that the message names is over.",
    "Somebody started this already": "One sync of a resource runs at a time. Follow that one: its"
    " page shows it to everybody.",
    "Live progress is unavailable": CATALOGUE["no_live_progress"].advice,
    "It takes very long": "Nothing ends a sync before its time limit, which an administrator sets."
    " Split a very large source, or sync at a quieter hour.",
    "A page says that the database does not answer": "Wait: the page looks again every two seconds"
    " and comes back by itself. A running sync continues as soon as it can.",
}
SUPPORT = """
Look at the notification first, and reload the page. Then press **Copy details for support** below
the notification: it copies the page, the message, the result, the time and the number of the run.
Send that to your administrator.
"""
PATIENTS = """
A sync reads what changed in Cliniko since the last one, and at least every {sweep} everything,
which finds also who was archived without a word or is gone. All patients are kept; who is archived,
deleted or merged is marked so. Cancelled, archived and deleted appointments are taken out.

**Active** is a patient who is none of these, and has an appointment to come, or came to one within
the last {days}. Group classes do not count. Names, contacts, addresses and birth dates are
hidden from viewers. Notes and clinical data stay in Cliniko.
"""
TABS = (
    "Results",
    "Preview, guards, undo",
    "Cells",
    "Files",
    "Good practice",
    "When something goes wrong",
    "Error messages",
)


def show() -> None:
    """Show the help. Raises SyncError("no_permission")."""
    here = visitor.enter("read")
    page_head.show("Help", ":material/help:")
    results, decisions, cells, sources, practice, troubleshooting, messages = st.tabs(
        TABS, key="help-tab", on_change="rerun", bind="query-params"
    )
    with results:
        _results()
    with decisions:
        help_decisions.show()
    with cells:
        help_cells.show()
    with sources:
        help_sources.show()
    with practice:
        st.markdown(GOOD_PRACTICE)
        _shortcuts(here)
    with troubleshooting:
        for title, advice in TROUBLESHOOTING.items():
            with st.expander(title):
                st.markdown(advice)
        st.header("Getting help", anchor=False)
        st.markdown(SUPPORT)
    with messages:
        _messages()


def _shortcuts(here: Visitor) -> None:
    st.header("Shortcuts of the keyboard", anchor=False)
    state = "" if here.preferences.shortcuts else " They are switched off for you."
    st.caption(f"Where you do not type. *Preferences*, beside your name, switches them off.{state}")
    st.table(
        {f"`{keys}`": what for keys, (what, _) in preferences.SHORTCUTS.items()},
        border="horizontal",
        width="content",
    )


def _results() -> None:
    st.header("What happened to a row", anchor=False)
    st.table(
        {f"**{kind}**": meaning for kind, meaning in OUTCOME_MEANINGS.items()},
        border="horizontal",
        width="content",
    )
    st.header("How a sync ended", anchor=False)
    looks = {LOOKS[status]: meaning for status, meaning in STATUS_MEANINGS.items()}
    st.table(
        {
            f":{look.color}-badge[{look.icon} {look.word}]": meaning
            for look, meaning in looks.items()
        },
        border="horizontal",
        width="content",
    )
    st.header("The steps of a sync", anchor=False)
    for found, titles in _steps().items():
        steps = " → ".join(f"{band.title} ({band.start} to {band.end}%)" for band in found)
        st.markdown(f"**{', '.join(titles)}**  \n{steps}")
    st.header("Patients", anchor=False)
    known = settings.current()
    sweep, days = count(round(known.sweep_hours), "hour"), count(round(known.active_days), "day")
    st.markdown(PATIENTS.format(sweep=sweep, days=days))


def _steps() -> dict[tuple[Band, ...], list[str]]:
    """Return the steps that there are, with the resources that go through them."""
    found: dict[tuple[Band, ...], list[str]] = {}
    for resource in resources.CATALOGUE.values():
        found.setdefault(resource.steps.bands, []).append(resource.title)
    return found


def _messages() -> None:
    st.caption(
        "Every message says what is wrong and what to do. The names and numbers are examples."
    )
    wanted = st.text_input(
        "Search",
        type="search",
        live=True,
        placeholder="Search messages",
        icon=":material/search:",
        key="search-messages",
        label_visibility="collapsed",
        width=320,
    )
    rows = help_examples.messages()
    rows += [(f"{code.summary}.", code.advice, OWNER.capitalize()) for code in CELL_CODES.values()]
    found = [row for row in rows if (wanted or "").lower() in " ".join(row).lower()]
    if not found:
        paging.show_empty(":material/search_off:", "No message is like that.")
        return
    cells = [[literal(cell) for cell in row] for row in found]
    table = pd.DataFrame(cells, columns=["Message", "What to do", "Who can do it"])
    st.table(table, border="horizontal", hide_index=True, alt="Error messages and what to do")
