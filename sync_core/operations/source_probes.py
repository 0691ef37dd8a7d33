"""Tests of the sources that are set: what a sync would find, before anybody starts one."""

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

from sync_core import organizations, sources
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.engine import probe
from sync_core.engine.probe import Probe
from sync_core.execution import reader_process
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, allowed_sources, people, source_settings
from sync_core.organizations.people import Person
from sync_core.runs import tab_titles
from sync_core.sources import SourceSetting, alone

LONGEST = 60.0  # seconds that the sources may take, whatever they say

_trying: set[int] = set()  # organizations
_lock = threading.Lock()


def probe_sources(organization: Organization, person: Person, resource: str) -> list[Probe]:
    """Try the sources of a resource; nothing is written, and no run is started.

    It is done in processes of their own, and needs no worker: how much is read is bounded (see
    `engine/probe.py`), and how long a server may say nothing. Raises SyncError: no_permission,
    unknown_resource, no_source, source_not_allowed, too_much_memory, aborted, probe_too_long,
    probes_busy where another test of the organization is under way, too, or too many of others.
    """
    people.require(person, "sync")
    declared = resources.by_name(resource)
    with _turn(organization.id), reader_process.SOURCES.turn():
        return _try(organization.id, declared)


@contextmanager
def _turn(organization_id: int) -> Iterator[None]:
    """Let an organization make one test at once: each holds a thread that others wait for."""
    with _lock:
        if organization_id in _trying:
            raise SyncError("probes_busy")
        _trying.add(organization_id)
    try:
        yield
    finally:
        _trying.discard(organization_id)


def _try(organization_id: int, resource: Resource) -> list[Probe]:
    organization, found = _set(organization_id, resource)
    accounts = [one for one in sources.settings_to_probe(found) if sources.kind_of(one).probe]
    tables = [setting for setting in found if not sources.kind_of(setting).probe]
    asked = [_ask_account(resource, setting) for setting in accounts]
    return asked + _try_tables(organization, resource, tables)


def _set(organization_id: int, resource: Resource) -> tuple[Organization, list[SourceSetting]]:
    """Return the sources that are set and may be read. Raises SyncError."""
    with db.within(organization_id) as connection:
        organization = organizations.by_id(connection, organization_id)
        found = source_settings.read(connection, organization, resource)
        allowed_sources.require(connection, organization, found)
        return organization, tab_titles.named(connection, organization, found)


def _ask_account(resource: Resource, setting: SourceSetting) -> Probe:
    """Ask an account by the probe of its kind."""
    entity = resources.entity(resource, setting.entity)
    try:
        told = _read("probe_account", setting)
    except SyncError as error:
        return probe.refused(entity, error)
    return Probe(entity=entity.name, **told)


def _try_tables(
    organization: Organization, resource: Resource, found: Sequence[SourceSetting]
) -> list[Probe]:
    """Read the first rows of each table, and compare them with what is kept."""
    until = time.monotonic() + LONGEST
    read: dict[str, Any] = {}
    refused: dict[str, Probe] = {}
    with ExitStack() as stack:
        files = []
        for setting in found:
            file = stack.enter_context(tempfile.TemporaryFile())
            left = until - time.monotonic()
            told = {"country": organization.country, "longest": LONGEST, "left": left}
            try:
                read[setting.entity] = _read("read_first_rows", setting, [file], **told)
            except SyncError as error:
                entity = resources.entity(resource, setting.entity)
                refused[setting.entity] = probe.refused(entity, error)
            else:
                files.append(file)
        compared = _compare(organization, resource, read, files) if read else []
    tried = refused | {one.entity: one for one in compared}
    return [tried[setting.entity] for setting in found]


def _read(verb: str, setting: SourceSetting, files: Sequence[Any] = (), **told: object) -> Any:  # noqa: ANN401 - JSON
    """Let a process read a source, which knows no key but the source's."""
    return reader_process.read(
        verb,
        {"setting": asdict(setting), **told},
        files,
        environment=alone.environment(setting),
        may_send=lambda: alone.may_send(setting),
    )


def _compare(
    organization: Organization, resource: Resource, read: dict[str, Any], files: Sequence[Any]
) -> list[Probe]:
    """Let a process compare what others have read, which knows the database and no key."""
    told = {"organization_id": organization.id, "resource": resource.name, "read": read}
    compared = reader_process.read(
        "compare",
        told,
        files,
        environment=alone.environment(),
        database=settings.urls().database,
    )
    return [Probe.from_json(one) for one in compared]
