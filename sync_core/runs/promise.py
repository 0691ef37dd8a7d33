"""The promise of how old a resource may be, and the words that say whether it is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sync_core.foundation.counting import ago, hours

PARTLY = "Last sync, partly:"  # how it is said when a sync was, of which some rows failed


@dataclass(frozen=True)
class Promise:
    """When a resource was last in step, and how old it may become."""

    since: datetime
    hours: int
    partly: bool = False  # some rows failed then

    def is_kept(self, now: datetime) -> bool:
        """Return whether the resource is as young as it should be."""
        return now <= self.since + timedelta(hours=self.hours)

    def sentence(self, now: datetime) -> str:
        """Return it in words: "Last synced 3 days ago; should be under 24 hours"."""
        last = PARTLY if self.partly else "Last synced"
        return f"{last} {ago(self.since, now)}{self.verdict(now)}"

    def verdict(self, now: datetime) -> str:
        """Return what follows on when it was synced, in words that say whether that is kept."""
        if self.is_kept(now):
            return f", within the max age of {hours(self.hours)}"
        return f"; the max age is {hours(self.hours)}"
