"""What people are told, in a few words."""

from collections.abc import Mapping

from sync_core.catalogue import resources
from sync_core.foundation.vocabulary import NoticeKind

HEADLINES: Mapping[NoticeKind, str] = {
    NoticeKind.SUCCEEDED: "synced",
    NoticeKind.PARTIAL: "synced only in part",
    NoticeKind.FAILED: "the sync failed",
    NoticeKind.WAITING: "a plan waits for a decision",
    NoticeKind.RECOVERED: "syncs again",
    NoticeKind.STALE: "older than its max age",
    NoticeKind.FRESH: "within its max age again",
    NoticeKind.PAUSED: "the schedule is paused",
    NoticeKind.CANCELLED: "the sync was cancelled",
    NoticeKind.EXPIRED: "nobody decided on the plan in time",
}


def title(kind: NoticeKind, resource: str) -> str:
    """Return it in a few words: "Locations: the sync failed"."""
    return f"{resource_title(resource)}: {HEADLINES[kind]}"


def resource_title(resource: str) -> str:
    """Return the title of a resource, its name where a later version no longer has it."""
    known = resources.CATALOGUE.get(resource)
    return known.title if known else resource
