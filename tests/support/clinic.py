"""A clinic whose patients a test syncs from a made-up Cliniko."""

from datetime import UTC, datetime

import pytest

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.demo.cliniko import Account
from sync_core.demo.cliniko.known import Kind
from sync_core.execution import attempt
from sync_core.foundation import db, settings
from sync_core.foundation.settings import cliniko_variable
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.organizations.people import Person
from sync_core.runs import Run
from sync_core.sources import SourceSetting
from tests.support.desk import ANA
from tests.support.fakes.cliniko import Cliniko

PATIENTS = resources.by_name("patients")


class Clinic:
    """Syncs one organization's account in this process, as a worker would."""

    def __init__(self, organization: Organization, server: Cliniko, account: Account) -> None:
        self.organization = organization
        self.server = server
        self.account = account

    def sync(self, person: Person = ANA) -> Run:
        return self.work(syncs.start(self.organization, "patients", person, "test"))

    def work(self, run: Run) -> Run:
        attempt.work(run.id)
        with db.everywhere() as connection:
            return runs.get(connection, self.organization.id, run.id)

    def counts(self, run: Run, entity: str) -> dict[str, int]:
        with db.everywhere() as connection:
            found = runs.tallies(connection, [run.id])[run.id][entity]
        return {kind: count for kind, count in found.items() if kind != "rules" and count}


def open_clinic(
    organization: Organization,
    server: Cliniko,
    account: Account,
    patch: pytest.MonkeyPatch,
    forbidden: frozenset[Kind] = frozenset(),
) -> Clinic:
    """Let a key of its own open the account, and the organization hold the key."""
    key = f"{organization.slug}-au1"  # the limit is one a key
    server.add(key, account, forbidden=forbidden)
    patch.setenv("CLINIKO_BASE_URL", server.url)
    patch.setenv("CLINIKO_CONTACT", "it@example.org")
    patch.setenv(cliniko_variable(organization.slug), key)
    settings.current.cache_clear()
    set_source(organization)
    return Clinic(organization, server, account)


def set_source(organization: Organization) -> None:
    with db.everywhere() as connection:
        source_settings.save(
            connection,
            organization,
            [source_setting(organization, e.name) for e in PATIENTS.entities],
        )


def source_setting(organization: Organization, entity: str) -> SourceSetting:
    """Return the source setting of an entity in the organization's account."""
    return SourceSetting(
        organization=organization.slug,
        resource="patients",
        entity=entity,
        kind="cliniko",
        location="cliniko",
    )


def now() -> int:
    """Return this moment as the made-up Cliniko counts it."""
    return int(datetime.now(UTC).timestamp())
