"""When a resource is synced by itself: in a line on its page, and in a dialog to change it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from sync_core.catalogue import reason_words
from sync_core.catalogue.resource import Resource
from sync_core.foundation import db
from sync_core.foundation.counting import ago, count
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Trigger
from sync_core.operations import schedules as operations
from sync_core.organizations import Organization, schedule_words, schedules, timetable
from sync_core.organizations.people import Person
from sync_core.organizations.schedules import SHOWN, Schedule, Tick
from sync_core.runs.words import PAUSED
from sync_core.ui.frame import asking, error_box, form
from sync_core.ui.frame.asking import Question
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import capitalized, literal, moment

SKIPPED = {  # why a tick started no run, by the code of the error
    "already_running": "a sync was running",
    "plan_waits": "a plan waited for a decision",
    "no_source": "no source was set",
    "cooldown": "a sync had just ended",
}
LAST = 5  # ticks that the dialog lists
CHANGED = "schedule-changed"  # in the session, until the panel has closed
ASK = "Ask an administrator to set a schedule."


def show(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show when the resource is synced by itself, and to whom may change it a button."""
    schedule = state.schedules.get(resource.name)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="schedule"):
        st.markdown(f":small[:gray[{_line(here, schedule)}]]", width="content")
        if here.person.may("administer") or (schedule and here.person.may("sync")):
            _offer(here, resource, schedule)


def _line(here: Visitor, schedule: Schedule | None) -> str:
    """Return in Markdown when it is synced by itself, or who can change that it is not."""
    if schedule is None:
        ask = "" if here.person.may("administer") else f". {ASK}"
        return f":material/event_repeat: Not synced automatically{ask}"
    if schedule.paused_at:
        return f":material/pause_circle: {_paused(schedule)}"
    following = timetable.following(schedule.cron, schedule.zone, datetime.now(UTC))
    times = f" · next {_times(here, following)}" if following else ""
    zone = _other_zone(here, following)
    return f":material/event_repeat: Synced {schedule.words}{zone}{times}"


def _other_zone(here: Visitor, times: Sequence[datetime]) -> str:
    """Name the zone in which schedules count, where its clock is not that of the visitor.

    The page names the visitor's own at its end.
    """
    zone = ZoneInfo(here.organization.time_zone)
    if all(at.astimezone(zone).utcoffset() == at.astimezone(here.zone).utcoffset() for at in times):
        return ""
    return f" in {literal(zone.key.replace('_', ' '))}"


def _paused(schedule: Schedule) -> str:
    """Return since when the schedule rests, by whom and why."""
    if schedule.paused_at is None or schedule.pause_reason is None:
        return ""
    since, why = ago(schedule.paused_at), PAUSED[schedule.pause_reason]
    who = "by itself" if schedule.paused_by == schedules.NOBODY.name else f"by {schedule.paused_by}"
    because = "" if why == "by hand" else f": {why}"
    return f"The schedule ({schedule.words}) was paused {since} {literal(who)}{because}"


def _times(here: Visitor, times: Sequence[datetime]) -> str:
    """Return times on the visitor's clock: "Mon 30 Nov, 06:30"."""
    local = [at.astimezone(here.zone) for at in times]
    return " · ".join(f"{at:%a} {at.day} {at:%b, %H:%M}" for at in local)


def _offer(here: Visitor, resource: Resource, schedule: Schedule | None) -> None:
    """Show the button that opens the schedule, which costs nothing until then."""
    key = f"schedule-{resource.name}"
    if st.session_state.pop(CHANGED, False):
        st.session_state[key] = False
    opened = st.popover(
        "Schedule",
        type="tertiary",
        key=key,
        help="Sync this automatically, at the times that you choose.",
        on_change="rerun",
    )
    if opened.open:
        with opened:
            _show(here, resource, schedule)


def _show(here: Visitor, resource: Resource, schedule: Schedule | None) -> None:
    """Show when it is synced by itself, what became of the last times, and how to change it."""
    if schedule:
        _buttons(here, resource, schedule)
    if here.person.may("administer"):
        _edit(here, resource, schedule)
    _last(here, resource)


def _buttons(here: Visitor, resource: Resource, schedule: Schedule) -> None:
    with st.container(horizontal=True):
        if st.button("Run now", icon=":material/play_arrow:", key="schedule-run"):
            _change(here, resource, partial(operations.run_now, trigger=Trigger.PAGE))
        if schedule.paused_at:
            if st.button("Resume", icon=":material/resume:", key="schedule-resume"):
                _change(here, resource, operations.resume)
        elif st.button("Pause", icon=":material/pause:", key="schedule-pause"):
            _change(here, resource, operations.pause)
        if here.person.may("administer") and st.button(
            "Remove", icon=":material/delete:", key="schedule-remove"
        ):
            _ask_to_remove(here, resource, schedule)


def _change(
    here: Visitor, resource: Resource, change: Callable[[Organization, str, Person], object]
) -> None:
    """Change the schedule and close it; where that is refused it stays open with the reason."""

    def change_and_close() -> None:
        change(here.organization, resource.name, here.person)
        st.session_state[CHANGED] = True

    form.save(change_and_close)


def _ask_to_remove(here: Visitor, resource: Resource, schedule: Schedule) -> None:
    question = Question(
        title=f"Remove the schedule of {resource.title}?",
        means=f"It is not synced automatically any more ({literal(schedule.words)}). Undo sets the"
        " same times again.",
        verb="Remove the schedule",
        done="The schedule was removed.",
        icon=":material/delete:",
    )
    remove = partial(operations.remove, here.organization, resource.name, here.person)
    again = partial(operations.put, here.organization, resource.name, here.person, schedule.words)
    asking.ask(here, question, remove, again)


def _edit(here: Visitor, resource: Resource, schedule: Schedule | None) -> None:
    """Ask for the times; what they mean is told before they are saved."""
    text = st.text_input(
        "When",
        value=schedule.words if schedule else "",
        placeholder="such as every weekday at 06:30",
        help=f"In words, or a cron expression: {', '.join(schedule_words.EXAMPLES)}.",
        key=f"schedule-text-{resource.name}",
    )
    understood = _told(here, text, schedule)
    if st.button(
        "Save",
        type="primary",
        icon=":material/check:",
        key="schedule-save",
        disabled=not understood,
    ):
        _change(here, resource, partial(operations.put, text=text))


def _told(here: Visitor, text: str, schedule: Schedule | None) -> bool:
    """Tell what other times mean than those that are set; returns whether they can be saved."""
    if not text.strip():
        return False
    try:
        cron = schedule_words.parse(text)
    except SyncError as error:
        error_box.show_sentence(error)
        return False
    if schedule and cron == schedule.cron:
        return False
    zone = ZoneInfo(here.organization.time_zone)
    following = timetable.following(cron, zone, datetime.now(UTC), SHOWN)
    words = literal(capitalized(schedule_words.words(cron)))
    st.caption(f"{words}{_other_zone(here, following)}. The next times: {_times(here, following)}.")
    return True


def _last(here: Visitor, resource: Resource) -> None:
    with db.within(here.organization.id) as connection:
        found = schedules.ticks(connection, here.organization.id, resource.name, LAST)
    if not found:
        return
    columns = [Column("Time", "brief"), Column("Result")]
    rows = [Row("", [Cell(moment(one.at, here.zone)), Cell(_became(one))]) for one in found]
    row_table.show(Table(columns, rows), key="schedule-ticks", alt="The last times")


def _became(tick: Tick) -> str:
    missed = f", also for {count(tick.missed, 'missed time')}" if tick.missed else ""
    if tick.run_id is None:
        why = SKIPPED.get(tick.skipped or "", reason_words.of_code(tick.skipped or ""))
        return f"Skipped: {why}{missed}"
    return f"Run {tick.run_id}{', late' if tick.late else ''}{missed}"
