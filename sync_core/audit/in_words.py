"""What the trail says in plain words: on its page, and in its file."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sync_core.audit.trail import Entry
from sync_core.catalogue import reason_words, resources
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import ActionKind, PauseReason, RunStatus
from sync_core.organizations import actions
from sync_core.organizations.actions import (
    BeganExport,
    ChangedPeople,
    ChangedSetting,
    Declined,
    Detail,
    DroppedValues,
    Exported,
    PausedSchedule,
    Previewed,
    Retried,
    SentTest,
    SetNotifications,
    SetPreferences,
    SetSchedule,
    Started,
    StartedAll,
    Undone,
)
from sync_core.runs import filters, lease, result_words
from sync_core.runs.words import PAUSED, origin

DECLINED = "Declined"  # what a run is called whose plan a person declined
Moment = Callable[[datetime], str]  # how moments are told: in somebody's zone, or in UTC
LABELS = {
    "resource": "Resource",
    "status": "Result",
    "action": "Action",
    "person": "Person",
    "team": "Team",
    "trigger": "Started from",
    "error": "Error",
}
ACTION_WORDS = {  # of an action in the list
    "started": "Started a sync",
    "started all": "Synced all",
    "previewed": "Previewed a sync",
    "cancelled": "Asked to cancel",
    "retried": "Synced fixed rows",
    "approved": "Approved a plan",
    "confirmed": "Confirmed a plan",
    "declined": "Declined a plan",
    "asked to undo": "Asked to undo",
    "began an export": "Started an export",
    "exported": "Exported",
    "changed a setting": "Changed a setting",
    "changed the people": "Changed the people",
    "dropped old values": "Deleted old values",
    "set a schedule": "Set a schedule",
    "removed a schedule": "Removed a schedule",
    "paused a schedule": "Paused a schedule",
    "resumed a schedule": "Resumed a schedule",
    "signed in": "Signed in",
    "signed out": "Signed out",
}


def action(what: str) -> str:
    """Return in a word or two what somebody did, by the kind of the action."""
    return ACTION_WORDS.get(what) or what.capitalize()


def event(entry: Entry) -> str:
    """Return what happened in a word or two: how a run ended, or what somebody did."""
    if entry.entry != "run":
        return action(entry.what)
    if entry.nothing_undone:
        return result_words.NOTHING_UNDONE
    is_declined = entry.message == lease.DECLINED  # by a person, and not cut off
    return DECLINED if is_declined else result_words.word(entry.kind, entry.what)


def done(detail: Detail | None, run_id: int | None, at: Moment, *, has_ended: bool = True) -> str:
    """Return in a line what somebody did; of an export that began, whether its end is known."""
    match detail:
        case BeganExport() | Exported():
            return _file(detail, has_ended=has_ended)
        case (
            ChangedSetting(what=what)
            | ChangedPeople(what=what)
            | SetSchedule(what=what)
            | SetNotifications(what=what)
            | SetPreferences(what=what)
            | SentTest(what=what)
        ):
            return what
        case StartedAll(resources=names):
            return ", ".join(map(_titled, names))
        case Started(files=files) | Previewed(files=files) if files:
            return f"Run {run_id}, from {', '.join(file.name for file in files)}"
        case Undone() | Retried() | Declined():
            return _of_run(detail, run_id)
        case PausedSchedule(why=why):
            return PAUSED[PauseReason(why)]
        case DroppedValues(before=before, outcomes=outcomes):
            return f"{outcomes:,} outcomes, before {at(before)}"
        case _:
            return f"Run {run_id}" if run_id else ""


def _of_run(detail: Undone | Retried | Declined, run_id: int | None) -> str:
    """Say what a run does to the other one that the action names, or why its plan was declined."""
    if isinstance(detail, Declined):
        return f"Run {run_id}: {detail.reason}" if detail.reason else f"Run {run_id}"
    if isinstance(detail, Undone):
        return f"Run {run_id} undoes run {detail.run}"
    return f"Run {run_id} syncs the rows that failed in run {detail.failed_in}"


def _titled(name: str) -> str:
    known = resources.CATALOGUE.get(name)
    return known.title if known else name


def _file(detail: BeganExport | Exported, *, has_ended: bool) -> str:
    """Return in a line how far a file came that somebody asked for."""
    what = _what(detail.what)
    if isinstance(detail, Exported):
        return f"{what}, {count(detail.rows, 'row') if detail.complete else 'was cut short'}"
    return what if has_ended else f"{what}: no end is recorded, so it is running or was cut short"


def _what(what: str) -> str:
    """Return what a file holds; the reason of its rows is kept as a code."""
    kind, mark, code = what.partition("failed rows: ")
    return f"{kind}{mark}{reason_words.of_code(code)}".capitalize() if mark else what.capitalize()


def value_in_words(name: str, value: str) -> str:
    """Return a value of a filter as people know it."""
    if name == "status" and value in set(RunStatus):
        return result_words.every_word(value)
    if name == "resource" and value in resources.CATALOGUE:
        return resources.CATALOGUE[value].title
    if name == "trigger":
        return origin(value)
    if name == "error":
        return reason_words.of_code(value)
    return value.capitalize() if name == "action" else value


FACT_NAMES = {  # of the facts of a manifest
    "what": "What",
    "email": "E-mail",
    "file": "File",
    "files": "Uploaded files",
    "filters": "Filters",
    "organizations": "Organizations",
    "rows": "Rows",
    "bytes": "Bytes",
    "sha256": "SHA-256",
    "complete": "Complete",
    "masked": "Masked for the role",
    "seconds": "Seconds",
    "head": "Last link of the chain",
    "began": "Started as action",
    "failed_in": "Failed in run",
    "at": "Signed in at",
    "trigger": "Started from",
    "run": "Run",
    "batch": "Number",
    "resources": "Resources",
    "tick": "Scheduled for",
    "late": "Late",
    "cron": "Cron expression",
    "why": "Reason",
    "reason": "Reason",
    "error": "Error",
    "before": "Before",
    "outcomes": "Outcomes",
    "since": "From",
    "until": "Until",
}
OWN_NAMES: Mapping[
    str, Mapping[str, str]
] = {  # of the facts of one kind of action, where it names two runs
    ActionKind.UNDONE: {"run": "Run to undo"},
}
MOMENTS = frozenset({"before", "tick", "since", "until", "at"})
NUMBERS = frozenset({"run", "failed_in", "began"})  # which name something, and count nothing


def named(detail: Detail, at: Moment) -> list[tuple[str, str]]:
    """Return the facts of an action by their names, in plain words."""
    facts, names = actions.facts(detail), {**FACT_NAMES, **OWN_NAMES.get(detail.kind, {})}
    order = {name: index for index, name in enumerate(FACT_NAMES)}
    in_order = sorted(facts, key=lambda name: order.get(name, len(order)))
    return [(names.get(name, name.capitalize()), _fact(name, facts[name], at)) for name in in_order]


def _fact(name: str, value: object, at: Moment) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value}" if name in NUMBERS else f"{value:,}"
        case dict():
            parts = (f"{_part_name(part)}: {_fact(part, of, at)}" for part, of in value.items())
            return "; ".join(parts) or "none"
        case list():
            return ", ".join(_fact(name, one, at) for one in value)
        case str():
            return _text(name, value, at)
        case _:
            return str(value)


def _text(name: str, value: str, at: Moment) -> str:
    """Return a fact as people read it: no code, no moment of another zone."""
    if name in MOMENTS and (when := _moment(value)):
        return at(when)
    if name == "what":
        return _what(value)
    if name == "why" and value in PAUSED:
        return PAUSED[PauseReason(value)]
    if name in LABELS:
        several = value.split(filters.SEPARATOR)
        return ", ".join(value_in_words(name, one) for one in several)
    return value


def _moment(value: str) -> datetime | None:
    """Return a moment that is kept as ISO 8601, or as seconds as sign-ins have it; else None."""
    try:
        seconds = int(value) if value.isdecimal() else None
        return (
            datetime.fromisoformat(value)
            if seconds is None
            else datetime.fromtimestamp(seconds, UTC)
        )
    except (ValueError, OverflowError):
        return None


def _part_name(name: str) -> str:
    return LABELS.get(name) or FACT_NAMES.get(name, name.capitalize())
