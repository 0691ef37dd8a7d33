"""Tests of the sources that are set: what a sync would find, before anybody starts one."""

import time
from dataclasses import replace

from sync_core import sources
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.engine import probe
from sync_core.engine.probe import Probe
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, people, policies, source_settings
from sync_core.organizations.people import Person
from sync_core.runs import tab_titles
from sync_core.sources import Opening, RetryPolicy, SourceSetting

SILENCE = 30.0  # seconds that a server may say nothing: a person is waiting
LONGEST = 60.0  # seconds that a source may take, whatever it says
POLICY = RetryPolicy(attempts=2, outage_attempts=2)


def probe_sources(organization: Organization, person: Person, resource: str) -> list[Probe]:
    """Try the sources of a resource; nothing is written, and no run is started.

    It is done in this process, for it needs no worker: how much is read is bounded (see
    `engine/probe.py`), and how long a server may say nothing. Raises SyncError: no_permission,
    unknown_resource, no_source.
    """
    people.require(person, "sync")
    declared = resources.by_name(resource)
    with db.begin() as connection:
        found = source_settings.read(connection, organization, declared)
        found = tab_titles.named(connection, organization, found)
        policy = policies.of(connection, organization.id)[declared.name]
    probed = [one for one in sources.settings_to_probe(found) if sources.kind_of(one).probe]
    readable = [setting for setting in found if not sources.kind_of(setting).probe]
    return [_probe(declared, setting) for setting in probed] + probe.run(
        organization.id,
        organization.country,
        policies.applied(declared, policy),
        resources.ENTITIES,
        {setting.entity: sources.open_source(setting, _opening()) for setting in readable},
    )


def _probe(resource: Resource, setting: SourceSetting) -> Probe:
    """Ask an account by the probe of its kind."""
    entity = resources.entity(resource, setting.entity)
    try:
        told = sources.probe_source(setting, settings.current())
    except SyncError as error:
        return probe.refused(entity, error)
    return Probe(entity=entity.name, sentence=told.sentence, records=told.records)


def _opening() -> Opening:
    """Return how a source is opened that is given up where it takes too long."""
    until = time.monotonic() + LONGEST
    usual = settings.current()

    def go_on(*_news: object) -> None:
        if time.monotonic() > until:
            raise SyncError("probe_too_long", seconds=round(LONGEST))

    return Opening(
        settings=replace(usual, fetch_timeout=min(usual.fetch_timeout, SILENCE)),
        on_wait=go_on,
        on_bytes=go_on,
        on_traffic=go_on,
        retry_policy=POLICY,
    )
