"""Who did it: one row for each thing that a person asked for, with the facts of its kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import ActionKind, PauseReason
from sync_core.organizations.people import Person


@dataclass(frozen=True)
class GivenFile:
    """A file that was uploaded as the source of a run."""

    name: str
    size: int  # bytes
    sha256: str
    entities: Sequence[str]


@dataclass(frozen=True)
class Started:
    """A sync was started; the action names the run."""

    kind: ClassVar = ActionKind.STARTED
    files: Sequence[GivenFile] | None = None  # None: it reads the source that is set
    tick: datetime | None = None  # of the schedule that started it
    late: bool | None = None  # whether it was started after its time, for itself and missed ones


@dataclass(frozen=True)
class StartedAll:
    """A sync of every resource that has a source was started, one after the other."""

    kind: ClassVar = ActionKind.STARTED_ALL
    batch: int = 0
    resources: Sequence[str] = ()  # in their order


@dataclass(frozen=True)
class Previewed:
    """A preview was started; the action names the run."""

    kind: ClassVar = ActionKind.PREVIEWED
    files: Sequence[GivenFile] | None = None  # None: it reads the source that is set


@dataclass(frozen=True)
class Retried:
    """The rows that had failed in another run were synced again; the action names the new run."""

    kind: ClassVar = ActionKind.RETRIED
    failed_in: int = 0  # the other run
    rows: int = 0  # that had failed there


@dataclass(frozen=True)
class Cancelled:
    """Somebody asked to cancel a sync; the action names the run, which tells what came of it."""

    kind: ClassVar = ActionKind.CANCELLED


@dataclass(frozen=True)
class Confirmed:
    """A plan that waited was confirmed, from where `trigger` says; the action names the run."""

    kind: ClassVar = ActionKind.CONFIRMED
    trigger: str = ""


@dataclass(frozen=True)
class Approved:
    """A plan that guards held back was approved, with what each of them had found."""

    kind: ClassVar = ActionKind.APPROVED
    trigger: str = ""
    guards: Sequence[Mapping[str, Any]] = ()  # of `runs.plans.Tripped`


@dataclass(frozen=True)
class Declined:
    """A plan that waited was declined; the action names the run."""

    kind: ClassVar = ActionKind.DECLINED
    reason: str | None = None  # in the words of who declined it, where they gave one


@dataclass(frozen=True)
class Undone:
    """An undo was started; the action names its run, which waits for a decision once planned."""

    kind: ClassVar = ActionKind.UNDONE
    run: int  # that is to be undone


@dataclass(frozen=True)
class Head:
    """The last link of the audit's chain: its number, and its hash in hexadecimal."""

    link: int
    hash: str


@dataclass(frozen=True)
class BeganExport:
    """A file is about to leave the program: its manifest, before its first byte does."""

    kind: ClassVar = ActionKind.BEGAN_EXPORT
    what: str = "a file"
    file: str | None = None
    run: int | None = None
    filters: Mapping[str, str] | None = None  # as in an address
    organizations: list[str] | None = None  # their short names
    masked: bool | None = None  # whether personal data are
    head: Head | None = None


@dataclass(frozen=True)
class Exported:
    """A file left the program, or was cut short: its manifest."""

    kind: ClassVar = ActionKind.EXPORTED
    what: str = "a file"
    file: str | None = None
    run: int | None = None
    filters: Mapping[str, str] | None = None  # as in an address
    organizations: list[str] | None = None  # their short names
    masked: bool | None = None  # whether personal data are
    rows: int = 0
    bytes: int | None = None
    sha256: str | None = None  # of the bytes that were handed over
    complete: bool = False
    seconds: float | None = None
    head: Head | None = None  # when the file was asked for
    began: int | None = None  # the action that was recorded before the first byte


@dataclass(frozen=True)
class ChangedSetting:
    """A setting was changed: which one, and to what, after "changed"."""

    kind: ClassVar = ActionKind.CHANGED_SETTING
    what: str = "a setting"


@dataclass(frozen=True)
class ChangedPeople:
    """Somebody was invited, changed or removed, or answered: what was done, from its verb on."""

    kind: ClassVar = ActionKind.CHANGED_PEOPLE
    what: str = "changed the people"
    email: str | None = None  # of whom it is about


@dataclass(frozen=True)
class DroppedValues:
    """The values in the outcomes of runs that ended before a moment were dropped."""

    kind: ClassVar = ActionKind.DROPPED_VALUES
    before: datetime
    outcomes: int  # how many held values


@dataclass(frozen=True)
class SetSchedule:
    """A resource is synced by itself from now on; the action names the resource."""

    kind: ClassVar = ActionKind.SET_SCHEDULE
    cron: str = ""
    what: str = ""  # in words


@dataclass(frozen=True)
class RemovedSchedule:
    """A resource is not synced by itself any more; the action names the resource."""

    kind: ClassVar = ActionKind.REMOVED_SCHEDULE


@dataclass(frozen=True)
class SetNotifications:
    """Somebody decided what they are told themselves: what, in words."""

    kind: ClassVar = ActionKind.SET_NOTIFICATIONS
    what: str = ""


@dataclass(frozen=True)
class SetPreferences:
    """Somebody changed how the pages are for themselves: what, in words."""

    kind: ClassVar = ActionKind.SET_PREFERENCES
    what: str = ""


@dataclass(frozen=True)
class SentTest:
    """A test message was sent: to whom, in words."""

    kind: ClassVar = ActionKind.SENT_TEST
    what: str = ""


@dataclass(frozen=True)
class PausedSchedule:
    """A schedule was paused, by hand or by itself; the action names the resource.

    Where it is paused by itself after failures, the action names the last run that failed.
    """

    kind: ClassVar = ActionKind.PAUSED_SCHEDULE
    why: str = PauseReason.BY_HAND  # a PauseReason
    error: str | None = None  # code of the last failure


@dataclass(frozen=True)
class ResumedSchedule:
    """A schedule that was paused goes on; the action names the resource."""

    kind: ClassVar = ActionKind.RESUMED_SCHEDULE


@dataclass(frozen=True)
class SignedIn:
    """Somebody signed in, at the moment that the claims of the sign-in name."""

    kind: ClassVar = ActionKind.SIGNED_IN
    at: str | None = None


@dataclass(frozen=True)
class SignedOut:
    """Somebody signed out."""

    kind: ClassVar = ActionKind.SIGNED_OUT


@dataclass(frozen=True)
class Unknown:
    """An action of a kind that this version does not know, or whose facts it cannot read."""

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Detail = (
    Started
    | StartedAll
    | Previewed
    | Retried
    | Cancelled
    | Confirmed
    | Approved
    | Declined
    | Undone
    | BeganExport
    | Exported
    | ChangedSetting
    | ChangedPeople
    | DroppedValues
    | SetSchedule
    | RemovedSchedule
    | SetNotifications
    | SetPreferences
    | SentTest
    | PausedSchedule
    | ResumedSchedule
    | SignedIn
    | SignedOut
    | Unknown
)
DETAILS: Mapping[str, type[Detail]] = {
    one.kind: one
    for one in (
        Started,
        StartedAll,
        Previewed,
        Retried,
        Cancelled,
        Confirmed,
        Approved,
        Declined,
        Undone,
        BeganExport,
        Exported,
        ChangedSetting,
        ChangedPeople,
        DroppedValues,
        SetSchedule,
        RemovedSchedule,
        SetNotifications,
        SetPreferences,
        SentTest,
        PausedSchedule,
        ResumedSchedule,
        SignedIn,
        SignedOut,
    )
}
_READ: Mapping[str, Callable[[Any], object]] = {  # facts that are more than JSON
    "before": datetime.fromisoformat,
    "tick": datetime.fromisoformat,
    "head": lambda stored: Head(**stored),
    "files": lambda stored: [GivenFile(**file) for file in stored],
}


def record(
    connection: Connection,
    organization_id: int,
    person: Person,
    detail: Detail,
    *,
    resource: str | None = None,
    run_id: int | None = None,
) -> int:
    """Write the action down, in the transaction of the thing that was done; returns its number."""
    values = {
        "organization_id": organization_id,
        "name": person.name,
        "email": person.email,
        "team": person.team,
        "kind": detail.kind,
        "resource": resource,
        "run_id": run_id,
        "detail": facts(detail),
    }
    number = sa.insert(tables.actions).values(values).returning(tables.actions.c.id)
    return int(connection.execute(number).scalar_one())


DECIDED = (ActionKind.CONFIRMED, ActionKind.APPROVED, ActionKind.DECLINED)


@dataclass(frozen=True)
class Decision:
    """Who decided on the plan of a run, how, and when."""

    kind: ActionKind
    name: str
    at: datetime
    reason: str = ""  # why it was declined


def decisions(connection: Connection, organization_id: int, run_id: int) -> list[Decision]:
    """Return the decisions on the plan of a run, the first one first."""
    done = tables.actions.c
    reason = sa.func.coalesce(done.detail["reason"].astext, "")
    query = sa.select(done.kind, done.name, done.at, reason).where(
        done.organization_id == organization_id, done.run_id == run_id, done.kind.in_(DECIDED)
    )
    found = connection.execute(query.order_by(done.id))
    return [Decision(ActionKind(kind), *told) for kind, *told in found]


def facts(detail: Detail) -> dict[str, Any]:
    """Return the facts of an action as they are stored: JSON, without what is not known."""
    if isinstance(detail, Unknown):
        return dict(detail.facts)
    return {name: _written(value) for name, value in asdict(detail).items() if value is not None}


def _written(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def read(kind: str, stored: Mapping[str, Any]) -> Detail:
    """Return what is stored of an action; a fact that its kind does not have is passed over."""
    try:
        made = DETAILS[kind]
        known = made.__dataclass_fields__.keys() & stored.keys()
        return made(**{name: _value(name, stored[name]) for name in known})
    except (KeyError, TypeError, ValueError):
        return Unknown(kind, stored)


def _value(name: str, stored: object) -> Any:  # noqa: ANN401 - of any fact
    return _READ[name](stored) if name in _READ else stored


def whole_since(connection: Connection, organization_id: int) -> datetime:
    """Return since when the values of outcomes have not been dropped; year 1 where never."""
    done = tables.actions.c
    which = (done.organization_id == organization_id, done.kind == DroppedValues.kind)
    stored = connection.execute(sa.select(done.detail).where(*which)).scalars()
    dropped = (read(DroppedValues.kind, detail) for detail in stored)
    never = datetime.min.replace(tzinfo=UTC)
    return max((one.before for one in dropped if isinstance(one, DroppedValues)), default=never)
