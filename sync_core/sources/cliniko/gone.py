"""Records that left a list, or were archived, without a word in `updated_at`: listed apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync_core.foundation.errors import SyncError
from sync_core.sources.cliniko.answers import Record
from sync_core.sources.cliniko.client import EVERYTHING, PER_PAGE, Client, changed_since

DELETED = "deleted"  # the list of these stands below that of the others
NOT_LISTED = frozenset({"cliniko_not_found", "cliniko_refused", "cliniko_may_not_read"})


@dataclass(frozen=True)
class Found:
    """Records as they are now, and the ids of those that are not there any more."""

    records: Sequence[Record]
    gone: Sequence[str] = ()


@dataclass(frozen=True)
class Apart:
    """What is read of a list beside what was updated since a moment; no record twice."""

    client: Client
    path: str
    since: datetime
    known: set[str] = field(default_factory=set)  # ids of the records that were read
    refusals: list[str] = field(default_factory=list)  # sentences, where the deleted are not listed

    def archived(self) -> Iterator[Found]:
        """Return the records that were archived since, and not updated."""
        others = [lifted for lifted in EVERYTHING[self.path] if not lifted.startswith("archived")]
        before = changed_since(self.since).replace(">=", "<")
        where = (changed_since(self.since, "archived"), before, *others)
        for batch in self.client.records(self.path, where=where):
            records = [record for record in batch.records if record.get("id") not in self.known]
            self.known.update(record["id"] for record in records if record)
            yield Found(records)

    def deleted(self) -> Iterator[Found]:
        """Return what became of the records that Cliniko lists as deleted since.

        Some are listed among the others, too, as deleted ones. Where Cliniko does not list them
        apart, only reading everything tells who is gone.
        """
        where = [changed_since(self.since, DELETED)]
        try:
            for batch in self.client.records(f"{self.path}/{DELETED}", where=where):
                ids = [r["id"] for r in batch.records if r and r["id"] not in self.known]
                yield from self._as_they_are(ids)
        except SyncError as error:
            if error.code not in NOT_LISTED:
                raise
            self.refusals.append(error.sentence)

    def _as_they_are(self, ids: Sequence[str]) -> Iterator[Found]:
        for start in range(0, len(ids), PER_PAGE):
            asked = ids[start : start + PER_PAGE]
            where = (f"id:={','.join(asked)}", *EVERYTHING[self.path])
            batches = self.client.records(self.path, where=where)
            records = [record for batch in batches for record in batch.records if record]
            there = {record["id"] for record in records}
            yield Found(records, [one for one in asked if one not in there])
