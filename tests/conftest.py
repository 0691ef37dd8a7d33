"""Real servers for every test, an organization for each, and a way to sync."""

import itertools
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator

os.environ.pop("DATABASE_URL", None)
os.environ.pop("REDIS_URL", None)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process of a test compiles anew
os.environ["SYNCDESK_DATA"] = tempfile.mkdtemp(prefix="syncdesk-tests-")
os.environ["SYNCDESK_COOLDOWN"] = "0.001"
os.environ["SYNCDESK_PRIVATE_HOSTS"] = "127.0.0.1"  # where the tests' own servers are
os.environ["SYNCDESK_API_RATE"] = "100000"  # nobody waits in a test that asks for no limit

import hypothesis
import psycopg
import pytest
import streamlit as st
from streamlit import config

from sync_core import organizations
from sync_core.foundation import db, embedded, redis_clients, settings
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs import Run
from tests.support import owner
from tests.support.desk import ANA, Desk

REDIS_DATABASES = itertools.cycle(range(1, 16))  # 0 is shared by the tests that ask for none

hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("patient")


def pytest_unconfigure() -> None:
    embedded.release(10)
    shutil.rmtree(os.environ["SYNCDESK_DATA"], ignore_errors=True)


@pytest.fixture(scope="session")
def servers() -> Iterator[embedded.Urls]:
    urls = settings.urls()
    db.prepare()
    with owner.connect() as connection:
        connection.execute("alter system set fsync = off")  # no test cuts the machine's power
        connection.execute("select pg_reload_conf()")
    yield urls
    db.engine().dispose()
    embedded.release(10)


@pytest.fixture
def own_redis(servers: embedded.Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a test, and the processes that it starts, an empty database of Redis."""
    with monkeypatch.context() as environment:
        address = servers.redis.replace("db=0", f"db={next(REDIS_DATABASES)}")
        environment.setenv("DATABASE_URL", servers.database)
        environment.setenv("SYNCDESK_MIGRATION_DATABASE_URL", servers.owner)
        environment.setenv("REDIS_URL", address)
        _read_addresses_again()
        redis_clients.client().flushdb()
        yield
    _read_addresses_again()


def _read_addresses_again() -> None:
    settings.current.cache_clear()
    redis_clients.client.cache_clear()
    redis_clients.queue_client.cache_clear()
    redis_clients.pushing_client.cache_clear()


@pytest.fixture
def database(servers: embedded.Urls) -> Iterator[psycopg.Connection]:
    """Connect as the owner of the tables, who sees and may do what the program may not."""
    assert servers
    with owner.connect() as connection:
        yield connection


@pytest.fixture
def organization(servers: embedded.Urls) -> Organization:
    assert servers
    with db.everywhere() as connection:
        return organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", "Northwind Care")


@pytest.fixture
def the_demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process be pages that `syncdesk up` has started, over the embedded database."""
    monkeypatch.setenv(settings.UP, str(os.getppid()))
    was = st.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", was)


@pytest.fixture
def ana() -> Person:
    return ANA


@pytest.fixture
def desk(organization: Organization) -> Desk:
    return Desk(organization)


@pytest.fixture
def outcomes(database: psycopg.Connection) -> Callable[..., list[tuple[object, ...]]]:
    def read(run: Run, columns: str = "kind, row_number, key") -> list[tuple[object, ...]]:
        query = f"select {columns} from outcomes where run_id = %s order by entity, row_number, key"
        return database.execute(query, [run.id]).fetchall()

    return read
