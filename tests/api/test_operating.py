"""What those ask who operate the program: is it alive, is it ready, its figures."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import psycopg
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from rq import Worker

from sync_core import organizations
from sync_core.api import app as api
from sync_core.api import metrics
from sync_core.execution import queue
from sync_core.foundation import db, redis_clients, settings, tables
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization
from sync_core.runs import Run
from tests.support import api_server, processes
from tests.support.api_server import Program, Server
from tests.support.desk import ANA, Desk
from tests.support.listed_worker import listed
from tests.support.locations import HEADER, row
from tests.support.waiting import eventually

TOKEN = "a-monitor-of-the-tests-alone"  # noqa: S105 - of the tests
Figures = dict[str, float]  # by name and labels, as Prometheus writes them


@pytest.fixture
def monitored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as environment:
        environment.setenv("SYNCDESK_MONITOR_TOKEN", TOKEN)
        settings.current.cache_clear()
        yield
    settings.current.cache_clear()


def ask(server: Server, path: str, token: str = "", **headers: str) -> httpx2.Response:
    shown = {"authorization": f"Bearer {token}"} if token else {}
    return httpx2.get(f"{server.url}{path}", headers={**shown, **headers}, timeout=30)


def checks(answer: httpx2.Response) -> dict[str, bool]:
    return {check["name"]: check["ok"] for check in answer.json()["checks"]}


def figures(answer: httpx2.Response) -> Figures:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=1.0.0")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            in_order = sorted(sample.labels.items(), key=lambda label: label[0] != "resource")
            labels = ",".join(value for _, value in in_order)
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.fixture
def worker(own_redis: None) -> Iterator[Worker]:
    """Register a worker, as one does that starts."""
    assert own_redis is None
    with listed() as there:
        yield there


def seen(worker: Worker, seconds_ago: float) -> None:
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    form = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    redis_clients.pushing_client().hset(worker.key, "last_heartbeat", form)


# Alive, and ready


@pytest.mark.parametrize("app", [None, api.alone], ids=["beside the pages", "alone"])
def test_it_is_alive_and_ready_where_all_is_there(
    servers: object, worker: Worker, app: Callable[[], object] | None
) -> None:
    assert servers
    assert worker
    with api_server.running(app() if app else None) as server:  # type: ignore[arg-type]
        alive, ready = ask(server, "/healthz"), ask(server, "/readyz")
    assert (alive.status_code, alive.text) == (200, "alive\n")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert checks(ready) == dict.fromkeys(("postgres", "migrations", "redis", "worker"), True)
    assert ready.headers["cache-control"] == "no-store"


def test_without_a_worker_seen_lately_it_is_not_ready(server: Server, worker: Worker) -> None:
    seen(worker, 25)
    assert ask(server, "/readyz").status_code == 200
    seen(worker, 31)
    answer = ask(server, "/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert [name for name, ok in checks(answer).items() if not ok] == ["worker"]
    assert "No worker was seen in the last 30 s: start python worker.py." in answer.text


def test_with_workers_of_another_version_alone_it_is_not_ready(
    server: Server, own_redis: None
) -> None:
    assert own_redis is None
    with listed("of_tomorrow"):
        answer = ask(server, "/readyz")
    assert [name for name, ok in checks(answer).items() if not ok] == ["worker"]
    assert "The workers are of another version than this program" in answer.text


def test_with_tables_of_another_version_it_is_not_ready(
    server: Server, worker: Worker, database: psycopg.Connection
) -> None:
    assert worker
    (newest,) = database.execute("select version_num from alembic_version").fetchone() or ("",)
    database.execute("update alembic_version set version_num = '0001'")
    try:
        answer = ask(server, "/readyz")
    finally:
        database.execute("update alembic_version set version_num = %s", [newest])
    assert answer.status_code == 503
    assert [name for name, ok in checks(answer).items() if not ok] == ["migrations"]
    assert "run syncdesk migrate" in answer.text


@pytest.mark.parametrize(
    ("server_of", "lost"),
    [("postgres", ["postgres", "migrations"]), ("valkey", ["redis", "worker"])],
)
def test_a_frozen_server_is_told_and_keeps_nobody_waiting(
    server: Server, worker: Worker, server_of: str, lost: list[str], monitored: None
) -> None:
    assert worker
    assert monitored is None
    pids = {"postgres": processes.postgres(), "valkey": [processes.valkey()]}[server_of]
    with processes.frozen(*pids), httpx2.Client(base_url=server.url, timeout=20) as client:
        answers = [client.get("/readyz") for _ in range(2)]
        assert client.get("/healthz").text == "alive\n"
        told = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    eventually(db.answers)  # it is left alone for a while after it was silent
    for answer in answers:
        assert answer.status_code == 503
        assert [name for name, ok in checks(answer).items() if not ok] == lost
    up = {name: value for name, value in figures(told).items() if "server_up" in name}
    frozen, other = ("postgres", "redis") if server_of == "postgres" else ("redis", "postgres")
    assert up == {
        f"syncdesk_server_up{{{frozen}}}": 0.0,
        f"syncdesk_server_up{{{other}}}": 1.0,
    }


@pytest.mark.parametrize("path", ["runs", "sources", "audit.csv", "records/locations"])
def test_a_frozen_postgres_fills_no_log_however_many_ask(
    server: Server, home: Organization, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Nor does anybody wait for long."""
    program = Program(server, home)
    of_server = logging.getLogger("uvicorn.error")
    of_server.addHandler(caplog.handler)
    try:
        with processes.frozen(*processes.postgres()):
            answers = [program("GET", f"/{path}") for _ in range(5)]
    finally:
        of_server.removeHandler(caplog.handler)
    eventually(db.answers)
    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (503, "database_down")
    ] * 5
    assert [one.getMessage() for one in caplog.records if one.exc_info] == []


def test_to_count_workers_leaves_the_waits_for_redis_short(worker: Worker) -> None:
    assert worker
    waits = redis_clients.pushing_client().connection_pool.connection_kwargs
    before = waits["socket_timeout"]
    assert queue.workers() == 1
    assert waits["socket_timeout"] == before < 1


def test_strangers_are_told_no_more_than_whether_it_is_ready(
    server: Server, monitored: None
) -> None:
    assert monitored is None
    stranger = ask(server, "/readyz", **{"x-forwarded-for": "203.0.113.9"})
    assert list(stranger.json()) == ["ready"]
    known = ask(server, "/readyz", TOKEN, **{"x-forwarded-for": "203.0.113.9"})
    assert "checks" in known.json()


# Figures


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [("", 401, "not_a_monitor"), ("syncdesk_guess", 401, "bad_token"), (TOKEN, 401, "bad_token")],
)
def test_the_figures_are_closed_unless_a_setting_opens_them(
    server: Server, token: str, status: int, code: str
) -> None:
    answer = ask(server, "/metrics", token)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("networks", "status"), [("127.0.0.0/8 ::1", 200), ("10.0.0.0/8", 401)])
def test_a_setting_opens_the_figures_to_a_network(
    server: Server, monkeypatch: pytest.MonkeyPatch, networks: str, status: int
) -> None:
    with monkeypatch.context() as environment:
        environment.setenv("SYNCDESK_MONITOR_NETWORKS", networks)
        settings.current.cache_clear()
        assert ask(server, "/metrics").status_code == status
    settings.current.cache_clear()


@pytest.mark.parametrize("role", list(Role))
def test_the_token_of_an_organization_opens_its_own_figures_to_who_may_analyze(
    server: Server, home: Organization, run: Run, role: Role
) -> None:
    assert run
    answer = ask(server, "/metrics", Program(server, home, role).token)
    if role not in {Role.MANAGER, Role.ADMIN}:
        assert (answer.status_code, answer.json()["code"]) == (403, "no_permission")
        return
    told = figures(answer)
    assert told["syncdesk_runs_ended_total{locations,partial}"] == 1
    assert told["syncdesk_rows_total{locations,created}"] == 1
    assert told["syncdesk_rows_total{locations,failed}"] == 1
    assert not any("workers" in name or "process" in name for name in told)


def test_another_organization_s_token_shows_none_of_it(
    server: Server, home: Organization, run: Run
) -> None:
    assert run
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-2", "Harbor Clinics")
    told = figures(ask(server, "/metrics", Program(server, other).token))
    assert not any("locations" in name for name in told)


def test_what_happens_moves_the_figures(
    server: Server, home: Organization, desk: Desk, monitored: None
) -> None:
    assert monitored is None
    secret = Program(server, home).token
    desk.write("locations", [HEADER, row("L1"), row("L2")])
    desk.set_source("locations")
    waiting = desk.start("locations")
    first = figures(ask(server, "/metrics", secret))
    assert first["syncdesk_runs{locations,queued}"] == first["syncdesk_queue_length"] == 1
    assert first["syncdesk_queue_oldest_seconds"] > 0
    desk.work(waiting)
    syncs.cancel(home, desk.start("locations").id, ANA)
    second = figures(ask(server, "/metrics", secret))
    assert "syncdesk_runs{locations,queued}" not in second
    assert second["syncdesk_queue_length"] == 0
    assert second["syncdesk_runs_ended_total{locations,completed}"] == 1
    assert second["syncdesk_runs_ended_total{locations,cancelled}"] == 1
    assert second["syncdesk_rows_total{locations,created}"] == 2
    assert second["syncdesk_run_duration_seconds_count{locations}"] == 1
    assert second["syncdesk_run_duration_seconds_bucket{locations,+Inf}"] == 1
    assert second["syncdesk_queue_wait_seconds_sum{locations}"] > 0
    assert second["syncdesk_source_wait_seconds_total{locations}"] == 0
    assert second["syncdesk_outbox"] == first["syncdesk_outbox"] == 0
    with db.everywhere() as connection:
        due = sa.func.now() - timedelta(seconds=60)
        message = {"organization_id": home.id, "email": ANA.email, "content": {}, "due_at": due}
        connection.execute(sa.insert(tables.messages).values(message))
    third = figures(ask(server, "/metrics", secret))
    assert (third["syncdesk_outbox"], third["syncdesk_outbox_overdue_seconds"] > 59) == (1, True)
    with db.everywhere() as connection:
        mine = tables.messages.c.organization_id == home.id
        connection.execute(sa.delete(tables.messages).where(mine))
    again = figures(ask(server, "/metrics", secret))
    assert again == second  # nobody is counted twice


def test_the_figures_of_all_are_those_of_each_counted_anew(
    server: Server, run: Run, desk: Desk, monitored: None, database: psycopg.Connection
) -> None:
    assert run
    assert monitored is None
    ask(server, "/metrics", TOKEN)
    desk.sync("locations", locations=[HEADER, row("L9")])
    counted_on = figures(ask(server, "/metrics", TOKEN))
    metrics._totals.cache_clear()  # noqa: SLF001 - as a new process would
    told = figures(ask(server, "/metrics", TOKEN))
    kept = {n for n in told if n.startswith(("syncdesk_run", "syncdesk_row", "syncdesk_source"))}
    assert {n: told[n] for n in kept} == {n: pytest.approx(counted_on[n]) for n in kept}
    runs, rows = database.execute(
        "select (select count(*) from runs where finished_at is not null),"
        " (select sum(read) from tallies)"
    ).fetchone() or (0, 0)
    assert sum(v for n, v in told.items() if n.startswith("syncdesk_runs_ended_total")) == runs
    outcomes = ("created", "updated", "unchanged", "skipped", "failed")
    of_rows = [
        v
        for n, v in told.items()
        if n.startswith("syncdesk_rows_total")
        if n.rpartition(",")[2].rstrip("}") in outcomes
    ]
    assert sum(of_rows) == rows
    assert told["process_resident_memory_bytes"] > 0
    assert "syncdesk_workers" in told
