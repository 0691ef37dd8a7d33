"""The last line of a strip: what a resource holds, when it was synced last, and from where."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest

from sync_core.catalogue.resource import Resource
from sync_core.foundation.vocabulary import FAILED
from sync_core.runs import Run
from sync_core.runs.promise import PARTLY
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import source_line, totals
from sync_core.ui.parts.words import short_moment


@dataclass(frozen=True)
class Value:
    """A text, with a link where it can be seen."""

    text: str
    address: str | None = None


def counts(here: Visitor, resource: Resource, state: RunState) -> str:
    """Return how many records there are of each table; only a run changes it."""
    since = totals.version(state.runs.get(resource.name))
    found = (
        entity.counted(totals.total(here.organization.id, entity, since))
        for entity in resource.entities
    )
    return " · ".join(found)


def of(
    here: Visitor,
    resource: Resource,
    state: RunState,
    counted: str = "",
    *,
    names_sources: bool = True,
) -> list[Value]:
    """Return the line; what is `counted` stands at its beginning."""
    fresh = state.fresh.get(resource.name)
    values = [Value(f"{counted} · ")] if counted else []
    values.append(Value(_last_success(here, fresh)))
    values += _sources(here, resource, fresh) if names_sources else ()
    values += _last_retry(here, state.last_retry(resource.name))
    if undo := state.taken_back.get(resource.name):
        values.append(Value(f"; run {undo.undoes} undone by {undo.requested_by}"))
    elif promise := state.promise(resource.name):
        values.append(Value(promise.verdict(datetime.now(UTC))))
    values += _last_failure(here, state.runs.get(resource.name))
    return values


def _last_success(here: Visitor, fresh: Run | None) -> str:
    if fresh is None or fresh.finished_at is None:
        return "Not synced yet"
    when = short_moment(fresh.finished_at, here.zone)
    last = PARTLY if fresh.partly else "Last successful sync"
    return f"{last} {when} by {fresh.requested_by}"


def _last_retry(here: Visitor, retry: Run | None) -> Iterator[Value]:
    if retry and retry.finished_at:
        when = short_moment(retry.finished_at, here.zone)
        yield Value(f"; its failed rows retried {when} by {retry.requested_by}")


def _sources(here: Visitor, resource: Resource, fresh: Run | None) -> Iterator[Value]:
    """Return where the rows come from: the files that the sync was given, else what is set."""
    files = source_line.files_of(fresh.organization_id, fresh.id) if fresh else []
    found = [Value(f"the file {name}") for name in files] or [
        Value(text, address) for text, address in source_line.named(here, resource)
    ]
    for before, value in zip_longest([" from "], found, fillvalue=" and "):
        yield from (Value(str(before)), value) if isinstance(value, Value) else ()


def _last_failure(here: Visitor, run: Run | None) -> Iterator[Value]:
    if run and run.status in FAILED and run.finished_at:
        yield Value(f"; last attempt failed {short_moment(run.finished_at, here.zone)}")
