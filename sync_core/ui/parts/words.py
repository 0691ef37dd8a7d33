"""Words on the screen: escaped text, times, counts, the look of a status."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.numbers import format_currency

from sync_core.foundation.counting import HOUR, MINUTE, ago, count
from sync_core.foundation.vocabulary import Role, RunStatus
from sync_core.runs import Run, result_words
from sync_core.runs.run import Undone
from sync_core.runs.words import origin

_ENGLISH = Locale("en")
_SUFFIXES = {"one": "st", "two": "nd", "few": "rd"}  # of ordinals, by their plural form
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
BREAK = ":small[]"  # parts a text for whatever turns it, and is nothing to those who copy it
_TURNS_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TURNED_AFTER_PARSING = re.compile(  # addresses into links, `->` into arrows, `:icon:` into icons
    r"(?<=:)(?=[/a-z])|(?<=[<>~-])(?=[-=>])|(?<=www)(?=\.)|(?<=@)(?=\S)", re.IGNORECASE
)


def literal(text: object) -> str:
    """Return Markdown that shows this text as it is, on one line, whatever it holds.

    Marks that would turn the direction of what stands beside it are shown as such.
    """
    line = " ".join(_TURNS_DIRECTION.sub("\N{REPLACEMENT CHARACTER}", str(text)).split())
    return BREAK.join(_PUNCTUATION.sub(r"\\\1", part) for part in _TURNED_AFTER_PARSING.split(line))


def icon_name(icon: str) -> str:
    """Return the name of an icon that Markdown has as ":material/check:", for HTML of our own."""
    return icon.removeprefix(":material/").removesuffix(":")


def brief(text: str, most: int = 200) -> str:
    """Return a text, on one line and shortened to what fits on a card, between two words.

    So that no number is cut, and read as another one.
    """
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    words, _, _ = line[:most].rpartition(" ")
    return f"{(words or line[: most - 1]).rstrip(' ,;:')}…"


def size(number: int) -> str:
    """Return an amount of bytes: "640 bytes", "12.4 KB", "3.0 MB"."""
    if number < 1_000:  # noqa: PLR2004 - bytes
        return count(number, "byte")
    power = min(3, (len(str(number)) - 1) // 3)
    return f"{number / 1000**power:.1f} {('KB', 'MB', 'GB')[power - 1]}"


def ordinal(number: int) -> str:
    """Return an ordinal: "1st", "2nd", "11th", "23rd"."""
    return f"{number:,}{_SUFFIXES.get(_ENGLISH.ordinal_form(number), 'th')}"


def listed(names: Sequence[str]) -> str:
    """Return names in a row: "rooms", "rooms and staff", "rooms, staff and fees"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


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
    how = "partly synced" if run.partly else "synced"
    return f"{how} {ago(run.finished_at)} by {literal(run.requested_by)}"


def taken_back(undo: Run) -> str:
    """Return when an undo took its run back, and by whom; "" before it has ended."""
    if undo.finished_at is None:
        return ""
    return f"run {undo.undoes} undone {ago(undo.finished_at)} by {literal(undo.requested_by)}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return a moment in somebody's zone: "23 Nov 2026, 14:05"."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def second(at: datetime, zone: ZoneInfo) -> str:
    """Return a moment to the second in somebody's zone: "23 Nov 2026, 14:05:09"."""
    return f"{moment(at, zone)}:{at:%S}"


def short_moment(at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """Return a moment as briefly as it can be told: "14:05", "23 Nov, 14:05", with another year."""
    local, today = at.astimezone(zone), (now or datetime.now(UTC)).astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b, %H:%M}" if local.year == today.year else moment(at, zone)


def day(at: datetime, zone: ZoneInfo) -> str:
    """Return the day of a moment in somebody's zone: "3 May 2026"."""
    return calendar_day(at.astimezone(zone))


def calendar_day(on: date) -> str:
    """Return a day: "3 May 2026"."""
    return f"{on.day} {on:%b %Y}"


def amount(number: Decimal, currency: str | None) -> str:
    """Return an amount of money with its currency, where that is known: "A$1,234.50"."""
    if currency is None:
        return f"{number:,.2f}"
    return format_currency(number, currency, "¤#,##0.00", locale=_ENGLISH, currency_digits=False)


Color = Literal["blue", "green", "orange", "red", "gray"]


@dataclass(frozen=True)
class Look:
    """A status as people see it: a word, an icon and a colour, never the colour alone."""

    word: str
    icon: str
    color: Color


_LOOKS: dict[RunStatus, tuple[str, Color]] = {
    RunStatus.QUEUED: (":material/schedule:", "blue"),
    RunStatus.RUNNING: (":material/progress_activity:", "blue"),
    RunStatus.INTERRUPTED: (":material/sync_problem:", "blue"),
    RunStatus.WAITING: (":material/front_hand:", "orange"),
    RunStatus.COMPLETED: (":material/check_circle:", "green"),
    RunStatus.PARTIAL: (":material/warning:", "orange"),
    RunStatus.FAILED: (":material/error:", "red"),
    RunStatus.TIMED_OUT: (":material/timer_off:", "red"),
    RunStatus.CANCELLED: (":material/block:", "gray"),
    RunStatus.EXPIRED: (":material/hourglass_disabled:", "gray"),
}
LOOKS: dict[str, Look] = {
    status: Look(result_words.word(None, status), *look) for status, look in _LOOKS.items()
}
NEVER = Look("Not synced yet", ":material/radio_button_unchecked:", "gray")

UNDONE_NOTHING = Look(result_words.NOTHING_UNDONE, ":material/do_not_disturb_on:", "gray")


def look(run: Run | None) -> Look:
    """Return the look of a run, or of a resource that never had one."""
    if run is None:
        return NEVER
    if run.undone:
        return undone(run.undone)
    if run.nothing_undone:
        return UNDONE_NOTHING
    found = look_of(run.kind, run.status)
    return replace(found, word="Declined") if run.declined else found


def undone(by: Undone) -> Look:
    """Return the look of a run that an undo took back: it is neither good nor bad."""
    return Look("Undone in part" if by.in_part else "Undone", ":material/undo:", "gray")


def look_of(kind: str | None, status: str) -> Look:
    """Return the look of a run of this kind that has this status."""
    found = LOOKS[status]
    return replace(found, word=result_words.word(kind, status))


def origin_within(name: str) -> str:
    """Return how a run came about, within a sentence: "by hand", "scheduled", "API"."""
    told = origin(name)
    return told if told.isupper() else told.lower()


def under_a_name(team: str, origin_name: str | None) -> str:
    """Return from which team somebody is, and how a run of theirs came about: "IT · by hand"."""
    return " · ".join(filter(None, (team, origin_within(origin_name) if origin_name else "")))


def started_how(run: Run, zone: ZoneInfo) -> str:
    """Return how a run came about, and for which time: "Scheduled for 23 Nov 2026, 06:30, late"."""
    told = origin(run.origin)
    if run.scheduled_for is None:
        return told
    return f"{told} for {moment(run.scheduled_for, zone)}" + (", late" if run.late else "")


MADE_UP_NOTE = (  # beside what is told of the past; how data are now, real runs alone tell
    ":material/science: Includes made-up runs of the demo, so that there is something to see"
)

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
