"""Words on the screen: escaped text, times, counts, the look of a status."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale

from sync_core.foundation.counting import HOUR, MINUTE, ago, count
from sync_core.foundation.vocabulary import PauseReason, Role, RunKind, RunStatus, Trigger
from sync_core.runs import Run

DAY_FORMAT = "D MMM YYYY"  # of tables
MOMENT_FORMAT = f"{DAY_FORMAT}, HH:mm"
SECOND_FORMAT = f"{MOMENT_FORMAT}:ss"
WEEK = 7  # days
_ENGLISH = Locale("en")
_SUFFIXES = {"one": "st", "two": "nd", "few": "rd"}  # of ordinals, by their plural form
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_JOINER = "\N{WORD JOINER}"  # invisible
_TURNED_AFTER_PARSING = re.compile(  # addresses into links, `->` into arrows, `:icon:` into icons
    r"(?<=:)(?=[/a-z])|(?<=[<>~-])(?=[-=>])|(?<=www)(?=\.)", re.IGNORECASE
)


def literal(text: object) -> str:
    """Return Markdown that shows this text as it is, on one line, whatever it holds."""
    line = " ".join(str(text).split())
    return _PUNCTUATION.sub(r"\\\1", _TURNED_AFTER_PARSING.sub(_JOINER, line))


def brief(text: str, most: int = 160) -> str:
    """Return a text, on one line and shortened to what fits on a card."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def size(number: int) -> str:
    """Return an amount of bytes: "640 bytes", "12.4 KB", "3.0 MB"."""
    if number < 1_000:  # noqa: PLR2004 - bytes
        return count(number, "byte")
    power = min(3, (len(str(number)) - 1) // 3)
    return f"{number / 1000**power:.1f} {('KB', 'MB', 'GB')[power - 1]}"


def ordinal(number: int) -> str:
    """Return an ordinal: "1st", "2nd", "11th", "23rd"."""
    return f"{number:,}{_SUFFIXES.get(_ENGLISH.ordinal_form(number), 'th')}"


def capitalized(text: str) -> str:
    """Return a text whose first letter is a capital, and the others as they are."""
    return text[:1].upper() + text[1:]


def lasted(seconds: float) -> str:
    """Return a duration: "0.4 s", "12 s", "3 min 20 s", "12 h"."""
    if seconds < 10:  # noqa: PLR2004 - seconds
        return f"{seconds:.1f} s".replace(".0 ", " ")
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s".removesuffix(" 0 s")
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min".removesuffix(" 0 min")


def synced(run: Run) -> str:
    """Return when a run brought its resource in step, and by whom; "" before it has ended."""
    if run.finished_at is None:
        return ""
    return f"synced {ago(run.finished_at)} by {literal(run.requested_by)}"


def taken_back(undo: Run) -> str:
    """Return when an undo took its run back, and by whom; "" before it has ended."""
    if undo.finished_at is None:
        return ""
    return f"run {undo.undoes} taken back {ago(undo.finished_at)} by {literal(undo.requested_by)}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return a moment in somebody's zone: "23 Nov 2026, 14:05"."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def day(at: datetime, zone: ZoneInfo) -> str:
    """Return the day of a moment in somebody's zone: "3 May 2026"."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def clock(at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """Return when it was, as people say it: "at 2:30 PM", "yesterday at 9:05 AM"."""
    local = at.astimezone(zone)
    days = ((now or datetime.now(UTC)).astimezone(zone).date() - local.date()).days
    time = f"{local:%I:%M %p}".lstrip("0")
    if days < 1:
        return f"at {time}"
    if days == 1:
        return f"yesterday at {time}"
    if days < WEEK:
        return f"on {local:%A} at {time}"
    return f"on {local.day} {local:%b %Y}"


def until(at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """Return a moment to come as people say it: "today 14:05", "tomorrow 9:05"."""
    local = at.astimezone(zone)
    days = (local.date() - (now or datetime.now(UTC)).astimezone(zone).date()).days
    if days in {0, 1}:
        return f"{('today', 'tomorrow')[days]} {local:%H:%M}"
    return moment(at, zone)


Color = Literal["blue", "green", "orange", "red", "gray"]


@dataclass(frozen=True)
class Look:
    """A status as people see it: a word, an icon and a colour, never the colour alone."""

    word: str
    icon: str
    color: Color


LOOKS = {
    "queued": Look("Starting", ":material/schedule:", "blue"),
    "running": Look("Syncing", ":material/progress_activity:", "blue"),
    "interrupted": Look("Interrupted", ":material/sync_problem:", "blue"),
    "waiting": Look("Needs a decision", ":material/front_hand:", "orange"),
    "completed": Look("Synced", ":material/check_circle:", "green"),
    "partial": Look("Synced with failures", ":material/warning:", "orange"),
    "failed": Look("Failed", ":material/error:", "red"),
    "timed_out": Look("Timed out", ":material/timer_off:", "red"),
    "cancelled": Look("Cancelled", ":material/block:", "gray"),
    "expired": Look("Expired", ":material/hourglass_disabled:", "gray"),
}
WORDS = {  # of runs that are no syncs
    (RunKind.PREVIEW, RunStatus.RUNNING): "Previewing",
    (RunKind.UNDO, RunStatus.RUNNING): "Undoing",
    (RunKind.UNDO, RunStatus.COMPLETED): "Undone",
    (RunKind.UNDO, RunStatus.PARTIAL): "Undone in part",
}
NEVER = Look("Not synced yet", ":material/radio_button_unchecked:", "gray")


def look(run: Run | None) -> Look:
    """Return the look of a run, or of a resource that never had one."""
    if run is None:
        return NEVER
    found = LOOKS[run.status]
    return replace(found, word=WORDS.get((run.kind, run.status), found.word))


_ORIGINS: dict[str, str] = {Trigger.PAGE: "By hand", Trigger.SCHEDULE: "Scheduled"}
PAUSED: dict[PauseReason, str] = {
    PauseReason.BY_HAND: "by hand",
    PauseReason.FAILURES: "it failed several times in a row, and a person must mend the reason",
    PauseReason.UNDO: "a sync was taken back",
}


def origin(name: str) -> str:
    """Return how a run came about: "By hand", "Scheduled", "API", "Retry", "Undo"."""
    return _ORIGINS.get(name) or capitalized(name)


def started_how(run: Run, zone: ZoneInfo) -> str:
    """Return how a run came about, and for which time: "Scheduled for 23 Nov 2026, 06:30, late"."""
    told = origin(run.origin)
    if run.scheduled_for is None:
        return told
    return f"{told} for {moment(run.scheduled_for, zone)}" + (", late" if run.late else "")


ROLES: dict[Role, str] = {
    Role.VIEWER: "Viewer",
    Role.ANALYST: "Analyst",
    Role.MANAGER: "Manager",
    Role.ADMIN: "Administrator",
}
DUTIES: dict[Role, str] = {
    Role.VIEWER: "sees everything that is synced",
    Role.ANALYST: "starts and cancels syncs, too",
    Role.MANAGER: "sees analytics, audit and exports",
    Role.ADMIN: "may do everything",
}
