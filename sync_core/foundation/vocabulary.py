"""The closed sets of words that are stored, sent and shown, each as its plain text."""

from enum import StrEnum


class RunStatus(StrEnum):
    """How a run is, or how it ended; `runs.transitions` says what may follow on what."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # its plan waits for a person
    COMPLETED = "completed"
    PARTIAL = "partial"  # applied, but some rows failed
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"  # nobody decided on its plan in time, or it was out of date


ACTIVE = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.INTERRUPTED)  # on its way
WITHOUT_WORKER = (RunStatus.QUEUED, RunStatus.INTERRUPTED)  # active, and nobody works on it
ENDED = frozenset(RunStatus) - {*ACTIVE, RunStatus.WAITING}
APPLIED = (RunStatus.COMPLETED, RunStatus.PARTIAL)
FAILED = (RunStatus.FAILED, RunStatus.TIMED_OUT)


class RunKind(StrEnum):
    """What a run is for."""

    SYNC = "sync"
    PREVIEW = "preview"
    UNDO = "undo"
    RETRY = "retry"  # of the rows that failed in another run


class Trigger(StrEnum):
    """From where a run was asked for."""

    PAGE = "page"
    SHELL = "command line"
    API = "API"
    SCHEDULE = "schedule"


class Theme(StrEnum):
    """In which colours somebody sees the pages."""

    SYSTEM = "system"  # as the browser asks for
    LIGHT = "light"
    DARK = "dark"


class PauseReason(StrEnum):
    """Why a schedule is paused."""

    BY_HAND = "by hand"
    FAILURES = "failures"  # several in a row, that only a person can mend
    UNDO = "undo"  # of a run of its resource


ORIGINS = (RunKind.RETRY, RunKind.UNDO)  # which tell more than the trigger how a run came about
IN_STEP = (RunKind.SYNC,)  # once applied, they leave what the source held


class OutcomeKind(StrEnum):
    """What happened to a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"  # a rule says to leave it
    FAILED = "failed"  # a person must fix the source
    REMOVED = "removed"


COUNTS = ("read", *OutcomeKind)  # of a run, in the order in which people read them
CHANGED = (OutcomeKind.CREATED, OutcomeKind.UPDATED, OutcomeKind.REMOVED)
LEFT_OUT = (OutcomeKind.FAILED, OutcomeKind.SKIPPED)  # rows that were read and not applied


class Removal(StrEnum):
    """What happens to a record that is gone from the source."""

    KEEP = "keep"
    DEACTIVATE = "deactivate"
    DELETE = "delete"


class GuardKind(StrEnum):
    """What makes a plan suspicious; `organizations.policies` has the threshold of each."""

    EMPTY_SOURCE = "empty_source"
    REMOVALS = "removals"
    CREATIONS = "creations"
    FAILURES = "failures"
    UPDATES = "updates"
    FEWER_ROWS = "fewer_rows"
    BLANK_COLUMN = "blank_column"
    NEW_KEYS = "new_keys"
    OTHER_SOURCE = "other_source"


class Role(StrEnum):
    """What somebody is in an organization; `people.MAY` says what each may do."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    MANAGER = "manager"
    ADMIN = "admin"


class ActionKind(StrEnum):
    """What somebody did; `organizations.actions` has a shape for the facts of each."""

    STARTED = "started"
    STARTED_ALL = "started all"
    PREVIEWED = "previewed"
    RETRIED = "retried"
    CANCELLED = "cancelled"
    CONFIRMED = "confirmed"
    APPROVED = "approved"
    DECLINED = "declined"
    UNDONE = "asked to undo"
    BEGAN_EXPORT = "began an export"
    EXPORTED = "exported"
    CHANGED_SETTING = "changed a setting"
    CHANGED_PEOPLE = "changed the people"
    DROPPED_VALUES = "dropped old values"
    SET_SCHEDULE = "set a schedule"
    REMOVED_SCHEDULE = "removed a schedule"
    SET_NOTIFICATIONS = "set their notifications"
    SET_PREFERENCES = "set their preferences"
    SENT_TEST = "sent a test message"
    PAUSED_SCHEDULE = "paused a schedule"
    RESUMED_SCHEDULE = "resumed a schedule"
    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"


class NoticeKind(StrEnum):
    """What people are told of a resource, or of a run that they asked for."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"  # applied, but some rows failed
    FAILED = "failed"
    WAITING = "waiting"  # a plan waits for a decision
    RECOVERED = "recovered"  # it syncs again, after it failed or was partial
    STALE = "stale"  # older than was promised
    FRESH = "fresh"  # as young as promised again
    PAUSED = "paused"  # its schedule
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # nobody decided on its plan


TROUBLE = frozenset(NoticeKind) - {
    NoticeKind.SUCCEEDED,
    NoticeKind.CANCELLED,
    NoticeKind.EXPIRED,
}  # and its end: of what people are told unless they wish otherwise


class Topic(StrEnum):
    """Of what it is remembered which state people were told last, for each resource."""

    RESULT = "result"  # of its syncs
    APPROVAL = "approval"  # whether a suspicious plan waits
    FRESHNESS = "freshness"


class ChannelKind(StrEnum):
    """How an organization is told."""

    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"
    GOOGLE_CHAT = "google_chat"
    WEBHOOK = "webhook"


class MessageForm(StrEnum):
    """What a message of the outbox is."""

    NEWS = "news"  # collected where much happens
    DIGEST = "digest"
    TEST = "test"  # somebody wants to see whether it arrives


class DigestPace(StrEnum):
    """How often somebody gets a digest."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
