"""When a resource is synced by itself: in a line on its page, and in a dialog to change it."""

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
from sync_core.organizations import schedule_words, schedules, timetable
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


def show(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show when the resource is synced by itself, and to whom may change it a button."""
    schedule = state.schedules.get(resource.name)
    may = here.person.may("administer") or (schedule is not None and here.person.may("sync"))
    if schedule is None and not may:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="schedule"):
        st.markdown(f":small[:gray[{_line(schedule)}]]", width="content")
        if may:
            _offer(here, resource, schedule)


def _line(schedule: Schedule | None) -> str:
    """Return in Markdown when it is synced by itself."""
    if schedule is None:
        return ":material/event_repeat: Not synced automatically"
    if schedule.paused_at:
        return f":material/pause_circle: {_paused(schedule)}"
    times = ", ".join(_times(schedule.cron, schedule.zone))
    return f":material/event_repeat: Synced {schedule.words} · next {times} ({_zone(schedule)})"


def _paused(schedule: Schedule) -> str:
    """Return since when the schedule rests, by whom and why."""
    if schedule.paused_at is None or schedule.pause_reason is None:
        return ""
    since, why = ago(schedule.paused_at), PAUSED[schedule.pause_reason]
    who = "by itself" if schedule.paused_by == schedules.NOBODY.name else f"by {schedule.paused_by}"
    because = "" if why == "by hand" else f": {why}"
    return f"The schedule ({schedule.words}) was paused {since} {literal(who)}{because}"


def _zone(schedule: Schedule) -> str:
    return schedule.time_zone.replace("_", " ")


def _times(cron: str, zone: ZoneInfo) -> list[str]:
    """Return the next times, on the clocks of the zone: "Mon 30 Nov, 06:30"."""
    found = timetable.following(cron, zone, datetime.now(UTC), SHOWN)
    local = [at.astimezone(zone) for at in found]
    return [f"{at:%a} {at.day} {at:%b, %H:%M}" for at in local]


def _offer(here: Visitor, resource: Resource, schedule: Schedule | None) -> None:
    """Show the button that opens the schedule, which costs nothing until then."""
    opened = st.popover(
        "Schedule",
        type="tertiary",
        key=f"schedule-{resource.name}",
        help="Sync this automatically, at the times that you choose.",
        on_change="rerun",
    )
    if opened.open:
        with opened:
            _show(here, resource, schedule)


def _show(here: Visitor, resource: Resource, schedule: Schedule | None) -> None:
    """Show when it is synced by itself, what became of the last times, and how to change it."""
    if schedule is None:
        st.caption("It is not synced automatically yet, only when somebody starts it.")
    else:
        st.markdown(f"**{literal(capitalized(schedule.words))}**")
        _buttons(here, resource, schedule)
    if here.person.may("administer"):
        _edit(here, resource, schedule)
    _last(here, resource)


def _buttons(here: Visitor, resource: Resource, schedule: Schedule) -> None:
    if schedule.paused_at:
        st.warning(_paused(schedule), icon=":material/pause_circle:")
    with st.container(horizontal=True):
        if st.button("Run now", icon=":material/play_arrow:", key="schedule-run"):
            run = partial(operations.run_now, trigger=Trigger.PAGE)
            form.save(lambda: run(here.organization, resource.name, here.person))
        if schedule.paused_at:
            if st.button("Resume", icon=":material/resume:", key="schedule-resume"):
                form.save(lambda: operations.resume(here.organization, resource.name, here.person))
        elif st.button("Pause", icon=":material/pause:", key="schedule-pause"):
            form.save(lambda: operations.pause(here.organization, resource.name, here.person))
        if here.person.may("administer") and st.button(
            "Remove", icon=":material/delete:", key="schedule-remove"
        ):
            _ask_to_remove(here, resource, schedule)


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
    understood = _told(here, text) if text.strip() else False
    if st.button(
        "Save",
        type="primary",
        icon=":material/check:",
        key="schedule-save",
        disabled=not understood,
    ):
        form.save(lambda: operations.put(here.organization, resource.name, here.person, text))


def _told(here: Visitor, text: str) -> bool:
    """Tell what a schedule means, or why it is none; returns whether it is one."""
    try:
        cron = schedule_words.parse(text)
    except SyncError as error:
        error_box.show_sentence(error)
        return False
    zone = ZoneInfo(here.organization.time_zone)
    times = ", ".join(_times(cron, zone))
    named = here.organization.time_zone.replace("_", " ")
    words = literal(capitalized(schedule_words.words(cron)))
    st.caption(f"{words}. The next times, in the time zone {named}: {times}.")
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
