"""What people call how a run came about, and why a schedule is paused."""

from collections.abc import Mapping

from sync_core.foundation.vocabulary import PauseReason, Trigger

_ORIGINS: Mapping[str, str] = {Trigger.PAGE: "By hand", Trigger.SCHEDULE: "Scheduled"}
PAUSED: Mapping[PauseReason, str] = {
    PauseReason.BY_HAND: "by hand",
    PauseReason.FAILURES: "it failed several times in a row, and a person must fix the cause",
    PauseReason.UNDO: "a sync was undone",
}


def origin(name: str) -> str:
    """Return how a run came about: "By hand", "Scheduled", "API", "Retry", "Undo"."""
    return _ORIGINS.get(name) or name[:1].upper() + name[1:]
