"""A server of the API for each module, and an organization with people of each role."""

from collections.abc import Iterator

import pytest

from sync_core.demo import organization as demo
from sync_core.demo.cliniko import Account
from sync_core.foundation import db, settings
from sync_core.organizations import Organization, people
from sync_core.runs import Run
from tests.support import api_server
from tests.support.api_server import Server
from tests.support.clinic import Clinic, open_clinic
from tests.support.desk import Desk
from tests.support.fakes.cliniko import Cliniko
from tests.support.locations import HEADER, row


@pytest.fixture(scope="module")
def server(servers: object) -> Iterator[Server]:
    assert servers
    with api_server.running() as serving:
        yield serving


@pytest.fixture
def home(organization: Organization) -> Organization:
    with db.everywhere() as connection:
        for person in demo.PEOPLE:
            people.add(connection, organization.id, person)
    return organization


@pytest.fixture
def run(home: Organization, desk: Desk) -> Run:
    assert home
    bad = row("L2", Email="nobody")
    return desk.sync("locations", locations=[HEADER, row("L1"), bad])


@pytest.fixture
def cliniko() -> Iterator[Cliniko]:
    with Cliniko() as running:
        yield running
    settings.current.cache_clear()


@pytest.fixture
def clinic(home: Organization, cliniko: Cliniko, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    return open_clinic(home, cliniko, Account(30, 20), monkeypatch)
