"""What is read of a source while somebody waits, in a process that may die of it.

Each verb is done in a process of its own, which knows what it takes and nothing else: who reads a
source has its key and no database, who compares has the database and no key.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from sync_core import sources
from sync_core.catalogue import resources
from sync_core.engine import headers, probe
from sync_core.engine.probe import FirstRows
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.organizations import policies
from sync_core.sources import Opening, RetryPolicy, SourceSetting
from sync_core.sources.files import upload

SILENCE = 30.0  # seconds that a server may say nothing: a person is waiting
POLICY = RetryPolicy(attempts=2, outage_attempts=2)


def find_header(file: int, name: str, entity: str, locale: str | None) -> None:
    """Find the header of an entity in a file that somebody gave. Raises SyncError."""
    wanted = resources.ENTITIES[entity]
    headers.match(wanted, upload.open_file(os.fdopen(file, "rb"), name, wanted, locale))


def probe_account(setting: Mapping[str, Any]) -> dict[str, Any]:
    """Ask an account by the probe of its kind. Raises SyncError."""
    return vars(sources.probe_source(SourceSetting(**setting), settings.current()))


def read_first_rows(
    file: int, setting: Mapping[str, Any], country: str, longest: float, left: float
) -> dict[str, Any]:
    """Read the first rows of a source into a file; see `engine/probe.py`. Raises SyncError.

    Of the `longest` that the sources of a test may take together, so many seconds are `left`.
    """
    found = SourceSetting(**setting)
    entity = resources.ENTITIES[found.entity]
    with os.fdopen(file, "wb") as rows:
        source = sources.open_source(found, _opening(longest, left))
        return probe.read(entity, source, country, rows).as_json()


def _opening(longest: float, left: float) -> Opening:
    """Return how a source is opened that is given up where it takes too long."""
    until = time.monotonic() + left
    usual = settings.current()

    def go_on(*_news: object) -> None:
        if time.monotonic() > until:
            raise SyncError("probe_too_long", seconds=round(longest))

    return Opening(
        settings=replace(usual, fetch_timeout=min(usual.fetch_timeout, SILENCE)),
        on_wait=go_on,
        on_bytes=go_on,
        on_traffic=go_on,
        retry_policy=POLICY,
    )


def compare(
    *files: int, organization_id: int, resource: str, read: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Compare first rows, one file for each entity that was read, with what is kept."""
    declared = resources.by_name(resource)
    with db.within(organization_id) as connection:
        policy = policies.of(connection, organization_id)[declared.name]
    applied = policies.applied(declared, policy)
    with ExitStack() as stack:
        rows = {
            name: (
                FirstRows.from_json(resources.ENTITIES[name], kept),
                stack.enter_context(os.fdopen(file, "rb")),
            )
            for (name, kept), file in zip(read.items(), files, strict=True)
        }
        tried = probe.compare(organization_id, applied, resources.ENTITIES, rows)
    return [one.as_json() for one in tried]


VERBS: dict[str, Callable[..., Any]] = {
    "find_header": find_header,
    "probe_account": probe_account,
    "read_first_rows": read_first_rows,
    "compare": compare,
}
