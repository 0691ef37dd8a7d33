"""Workers that a test may kill, and a way past the guards of the audit."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from rq import Worker

from sync_core.demo.cliniko import Account
from sync_core.foundation import db, redis_clients, settings
from sync_core.organizations import Organization
from tests.support import processes
from tests.support.clinic import Clinic, open_clinic
from tests.support.fakes.cliniko import Cliniko
from tests.support.processes import Crew, Process
from tests.support.waiting import eventually


@pytest.fixture
def workers_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file to which the workers of a test write what they notice."""
    return tmp_path_factory.mktemp("workers") / "log.txt"


@pytest.fixture
def crew(own_redis: None, workers_log: Path) -> Iterator[Crew]:
    """Start slow workers that have an empty queue to themselves; what they leave is ended."""
    assert own_redis is None
    started: list[Process] = []

    def start(*options: str, **environment: str) -> Process:
        process = processes.worker(*options, LOG=str(workers_log), **environment)
        started.append(process)
        eventually(lambda: _is_ready(process), 60)
        return process

    yield start
    processes.end_all(started)
    print(workers_log.read_text())  # noqa: T201 - pytest shows it with a failure
    _end_runs()


def _is_ready(process: Process) -> bool:
    return any(w.pid == process.pid for w in Worker.all(connection=redis_clients.pushing_client()))


def _end_runs() -> None:
    """End the runs that are still active, so that no other test's worker takes them."""
    move = sa.text("update runs set status = :new where status = :old")
    end = "update runs set status = 'failed', finished_at = now() where status = 'running'"
    with db.everywhere() as connection:
        connection.execute(sa.text("delete from leases"))
        connection.execute(move, {"old": "interrupted", "new": "queued"})
        connection.execute(move, {"old": "queued", "new": "running"})
        connection.execute(sa.text(end))


@pytest.fixture
def tamper(database: psycopg.Connection) -> Callable[..., None]:
    """Write past the triggers, as only a superuser can."""

    def execute(statement: str, *values: object) -> None:
        with database.transaction():
            database.execute("set local session_replication_role = replica")
            assert database.execute(statement, values).rowcount > 0

    return execute


@pytest.fixture
def server() -> Iterator[Cliniko]:
    with Cliniko() as running:
        yield running
    settings.current.cache_clear()


@pytest.fixture
def clinic(organization: Organization, server: Cliniko, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    return open_clinic(organization, server, Account(), monkeypatch)


@pytest.fixture
def small(organization: Organization, server: Cliniko, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    return open_clinic(organization, server, Account(120, 60), monkeypatch)
