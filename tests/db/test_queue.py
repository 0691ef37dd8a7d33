"""What waits for a worker: organizations take turns, and accounts are read by so many at once."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from sync_core import organizations, runs
from sync_core.execution import queue, run_jobs
from sync_core.foundation import db, redis_clients, settings
from sync_core.organizations import Organization
from sync_core.runs import Run, lease, requests, turns
from sync_core.runs.lease import Claim, Queued
from tests.support.desk import ANA

RESOURCES = ("locations", "admins", "services", "therapists", "patients")
Add = Callable[..., Organization]
Begin = Callable[[Organization, str], Run]


@pytest.fixture
def add(own_redis: None, database: psycopg.Connection) -> Add:
    """Add an organization, where nothing else waits."""
    assert own_redis is None
    database.execute("delete from leases")
    database.execute("update runs set status = 'queued' where status = 'interrupted'")
    database.execute("update runs set status = 'running' where status = 'queued'")
    ended = "status = 'failed', finished_at = now()"
    database.execute(f"update runs set {ended} where status = 'running'")

    def make(kind: str | None = None) -> Organization:
        with db.everywhere() as connection:
            made = organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", "Northwind Care")
        for resource in RESOURCES if kind else ():
            database.execute(
                "insert into sources (organization_id, resource, entity, kind, location)"
                " values (%s, %s, %s, %s, 'x')",
                [made.id, resource, resource, kind],
            )
        return made

    return make


def begin(organization: Organization, resource: str) -> Run:
    with db.everywhere() as connection:
        return runs.start(connection, organization.id, resource, ANA, trigger="test")


def claim(run_id: int) -> Claim | None:
    with db.everywhere() as connection:
        return lease.claim(connection, run_id, f"worker-{run_id}")


def waiting() -> list[int]:
    jobs = run_jobs.queue(redis_clients.pushing_client()).get_job_ids()
    return [int(job.removeprefix("run-")) for job in jobs]


def push(made: Sequence[Run]) -> None:
    queue.push(*(Queued(run.id, 60) for run in made))


def take_next() -> int:
    """Take what comes next off the queue, as a worker does."""
    redis = redis_clients.pushing_client()
    job = redis.lpop(run_jobs.queue(redis).key)
    assert isinstance(job, bytes)
    run_id = int(job.decode().removeprefix("run-"))
    assert claim(run_id)
    queue.put_in_order()
    return run_id


def test_many_runs_of_one_organization_hold_up_no_other_s_first(add: Add) -> None:
    many, few, one = add(), add(), add()
    push(first := [begin(many, name) for name in RESOURCES])
    push(second := [begin(few, name) for name in RESOURCES[:2]])
    push(last := [begin(one, "locations")])
    assert waiting()[0] == first[0].id
    taken = [take_next() for _ in range(8)]
    assert sorted(taken) == sorted(run.id for run in [*first, *second, *last])
    assert set(taken[:3]) == {first[0].id, second[0].id, last[0].id}
    assert set(taken[3:5]) == {first[1].id, second[1].id}
    assert taken[5:] == [run.id for run in first[2:]]


def test_who_comes_later_does_not_wait_for_all_that_waits(add: Add) -> None:
    many, late = add(), add()
    push(first := [begin(many, name) for name in RESOURCES])
    assert [take_next(), take_next()] == [first[0].id, first[1].id]
    push([run := begin(late, "locations")])
    assert waiting()[0] == run.id
    with db.everywhere() as connection:
        assert runs.queue_positions(connection, late.id) == {run.id: 1}
        assert list(runs.queue_positions(connection, many.id).values()) == [2, 3, 4]


def test_thirty_runs_hold_up_another_s_first_by_one_at_most(add: Add) -> None:
    many = add()
    push([begin(many, f"resource-{number}") for number in range(30)])
    for late in [add() for _ in range(5)]:
        push([run := begin(late, "locations")])
        assert run.id in {take_next(), take_next()}


def test_an_order_that_is_out_of_date_sends_nobody_to_the_end(add: Add) -> None:
    many = add()
    push([begin(many, name) for name in RESOURCES])
    with db.everywhere() as connection:
        before = [run_jobs.name(run_id) for run_id in turns.in_order(connection)]
    push([run := begin(add(), "locations")])
    redis = redis_clients.pushing_client()
    redis.eval(queue.IN_ORDER, 1, run_jobs.queue(redis).key, *before)
    assert waiting()[0] == run.id


def test_the_order_loses_nothing_that_it_does_not_know(add: Add) -> None:
    made = [begin(add(), "locations") for _ in range(3)]
    push(made)
    redis = redis_clients.pushing_client()
    key = run_jobs.queue(redis).key
    redis.lpush(key, "another-job")
    queue.put_in_order()
    jobs = [str(job, "utf-8") for job in redis.lrange(key, 0, -1) if isinstance(job, bytes)]
    assert sorted(jobs) == sorted([*(f"run-{run.id}" for run in made), "another-job"])
    with db.everywhere() as connection:
        assert set(turns.in_order(connection)) == {run.id for run in made}


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SYNCDESK_ACCOUNT_RUNS", "2")
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize(("kind", "claimed"), [("sheet", 2), ("cliniko", 4), ("folder", 6)])
def test_an_account_is_read_by_so_many_at_once(add: Add, kind: str, claimed: int) -> None:
    made = [begin(of, name) for of in (add(kind), add(kind)) for name in RESOURCES[:3]]
    with ThreadPoolExecutor(6) as workers:
        held = [one for one in workers.map(claim, [run.id for run in made]) if one]
    assert len(held) == claimed
    with db.everywhere() as connection:
        assert requests.to_push(connection, 0) == []
    for one in held:
        with db.everywhere() as connection:
            lease.finish(connection, one, lease.cancelled())
    with db.everywhere() as connection:
        left = [run.id for run in requests.to_push(connection)]
    assert sorted(left) == sorted({run.id for run in made} - {one.run_id for one in held})


@pytest.mark.usefixtures("two_at_once")
def test_a_dead_worker_and_an_undo_read_nothing(add: Add, database: psycopg.Connection) -> None:
    of = add("cliniko")
    made = [begin(of, name) for name in RESOURCES[:4]]
    assert [bool(claim(run.id)) for run in made[:3]] == [True, True, False]
    database.execute("update runs set kind = 'undo' where id = %s", [made[3].id])
    assert claim(made[3].id)
    ended = "update leases set lease_until = now() - interval '1 s' where run_id = %s"
    database.execute(ended, [made[0].id])
    assert claim(made[2].id)
