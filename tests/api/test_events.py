"""The events of a run as they come: none lost, none twice, whatever breaks meanwhile."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
from redis import Redis, RedisError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sync_core import organizations
from sync_core.api import app, live
from sync_core.api.live import View
from sync_core.foundation import db, redis_clients
from sync_core.foundation.breaker import Breaker
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, people
from sync_core.runs import Run, attempts, progress
from sync_core.runs.progress import Reporter
from tests.support import processes
from tests.support.api_server import Program, Server
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Heard:
    """An event as a reader hears it."""

    id: str
    event: str
    data: Any


@contextmanager
def listening(program: Program, run: Run, since: str | None = None) -> Iterator[Iterator[Heard]]:
    headers = {**program.headers, **({"last-event-id": since} if since else {})}
    with (
        httpx2.Client(base_url=program.url, headers=headers, timeout=30) as client,
        client.stream("GET", f"/runs/{run.id}/events") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _heard(answer.iter_lines())


def _heard(lines: Iterator[str]) -> Iterator[Heard]:
    parts: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name in {"id", "event", "data"}:
            parts[name] = value
        elif not line and parts:
            yield Heard(parts.get("id", ""), parts["event"], json.loads(parts["data"]))
            parts = {}


def lines_of(run: Run) -> list[str]:
    with db.everywhere() as connection:
        return [line.text for line in attempts.joined_log(attempts.of_run(connection, run.id))]


def texts(heard: list[Heard]) -> list[str]:
    return [one.data["text"] for one in heard if one.event == "log"]


@pytest.fixture
def program(server: Server, home: Organization) -> Program:
    return Program(server, home, Role.VIEWER)


@pytest.fixture
def queued(home: Organization, desk: Desk) -> Run:
    assert home
    desk.write("locations", [HEADER, row("L1"), row("L2", Email="nobody")])
    return desk.start("locations")


def test_a_run_is_told_from_its_start_to_its_end(program: Program, queued: Run, desk: Desk) -> None:
    with listening(program, queued) as events:
        first = next(events)
        assert (first.event, first.data["status"]) == ("run", "queued")
        ended = desk.work(queued)
        heard = [first, *events]
    assert heard[-1].event == "end"
    assert heard[-1].data["status"] == ended.status == "partial"
    assert heard[-1].data["counts"]["locations"]["created"] == 1
    assert texts(heard) == lines_of(ended)
    ids = [one.id for one in heard]
    assert len(set(ids)) == len(ids)


def test_who_comes_back_hears_what_came_after_and_nothing_twice(
    program: Program, queued: Run, desk: Desk
) -> None:
    desk.work(queued)
    with listening(program, queued) as events:
        heard = list(events)
    assert len(heard) > 3
    for place, one in enumerate(heard[:-1]):
        with listening(program, queued, one.id) as events:
            assert list(events) == heard[place + 1 :]
    again = program("GET", f"/runs/{queued.id}/events", since=heard[-1].id)
    assert (again.status_code, again.content) == (204, b"")


@pytest.mark.parametrize("id", ["", "x", "9" * 60, "1-", "-", "1-2-3-4"])
def test_an_id_that_is_none_begins_anew_or_after_it(
    program: Program,
    queued: Run,
    desk: Desk,
    id: str,  # noqa: A002
) -> None:
    desk.work(queued)
    with listening(program, queued, id) as events:
        assert list(events)[-1].event == "end"


def test_a_wiped_redis_ends_no_stream_and_loses_no_line(
    program: Program, queued: Run, desk: Desk
) -> None:
    redis = redis_clients.client()
    with listening(program, queued) as events:
        heard = [next(events)]
        Reporter(redis, queued.id, 1).log("Somebody else was here")
        heard.append(next(events))
        assert texts(heard) == ["Somebody else was here"]
        for key in redis.scan_iter(f"sync:*:{queued.id}"):
            redis.delete(key)
        ended = desk.work(queued)
        heard += events
    assert texts(heard) == ["Somebody else was here", *lines_of(ended)]


def test_a_restart_of_redis_and_a_reader_that_comes_back_lose_and_repeat_nothing(
    program: Program, queued: Run, desk: Desk
) -> None:
    redis = redis_clients.client()
    reporter = Reporter(redis, queued.id, 1)
    with listening(program, queued) as events:
        heard = [next(events)]
        reporter.log("before")
        heard.append(next(events))
        processes.kill(processes.valkey())
        eventually(lambda: answers(redis), 60)
        reporter.log("after")
        heard.append(next(events))
        with listening(program, queued, heard[1].id) as again:
            assert texts([next(again)]) == ["after"]
    reporter.log("while nobody listens")
    with listening(program, queued, heard[-1].id) as events:
        heard.append(next(events))
        ended = desk.work(queued)
        heard += events
    assert heard[-1].event == "end"
    assert texts(heard) == ["before", "after", "while nobody listens", *lines_of(ended)]
    ids = [one.id for one in heard]
    assert len(set(ids)) == len(ids)


@pytest.mark.alone
def test_an_outage_of_postgres_is_told_once_and_ends_no_stream(
    program: Program,
    queued: Run,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks: list[Mapping[int, int]] = []
    look = live.look

    def counted(watched: Mapping[int, int]) -> Mapping[int, View]:
        looks.append(watched)
        return look(watched)

    monkeypatch.setattr(live, "look", counted)
    with listening(program, queued) as events:
        heard = [next(events)]
        with processes.gone(processes.postmaster):
            failing = len(looks)
            eventually(lambda: len(looks) > failing + 5, 60)
        eventually(db.answers, 60)
        desk.work(queued)
        heard += events
    assert heard[-1].event == "end"
    assert caplog.text.count("a look at runs failed") == 1


def answers(redis: Redis) -> bool:
    with suppress(RedisError):
        return bool(redis.ping())
    return False


def test_lines_that_redis_did_not_take_come_with_the_next_one(queued: Run) -> None:
    redis = redis_clients.client()
    reporter = Reporter(redis, queued.id, 1)
    with processes.frozen(processes.valkey()):
        reporter.log("one")
        reporter.log("two")
    reporter._breaker = Breaker()  # noqa: SLF001 - as if its pause was over
    eventually(lambda: answers(redis), 60)
    reporter.log("three")
    _, logs = progress.read(redis, [queued.id])
    assert [line.text for line in logs[queued.id]] == ["one", "two", "three"]
    redis.delete(f"sync:log:{queued.id}")
    reporter.log("four")
    _, logs = progress.read(redis, [queued.id])
    assert [line.text for line in logs[queued.id]] == ["one", "two", "three", "four"]


NEWS = {"phase": "reading", "sentence": "Reads.", "percent": 5, "at": 1.0, "since": 1.0}
LINE = {"at": 1.0, "level": "info", "text": "Reads."}
NONSENSE: dict[str, str | bytes] = {
    "no JSON": "x",
    "a list": "[]",
    "nothing": "null",
    "lists without end": "[" * 100_000,
    "no text": b"\xff\xfe",
    "no numbers": '{"percent": NaN, "at": NaN}',
    "a sentence that is an object": json.dumps({**NEWS, "sentence": {}, "text": {}}),
    "more than all": json.dumps({**NEWS, "percent": 10**30}),
    "endless": '{"percent": 1e400, "at": 1e400}',
    "a time of no calendar": json.dumps({**NEWS, **LINE, "at": 1e300}),
    "counts that are none": json.dumps({**NEWS, "counts": [1]}),
    "an amount that is none": json.dumps({**NEWS, "amount": {"done": "many"}}),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_what_others_write_about_a_run_harms_no_reader(
    kind: str, program: Program, queued: Run, desk: Desk
) -> None:
    redis, beside = redis_clients.client(), desk.start("therapists")
    redis.set(progress.key(beside.id), json.dumps(NEWS))
    redis.xadd(f"sync:log:{beside.id}", {"line": json.dumps(LINE)})
    redis.set(progress.key(queued.id), NONSENSE[kind])
    redis.xadd(f"sync:log:{queued.id}", {"line": NONSENSE[kind]})
    redis.xadd(f"sync:log:{queued.id}", {"other": "x"})
    assert program.get(f"/runs/{queued.id}")["status"] == "queued"
    seen = live.look({run.id: run.organization_id for run in (queued, beside)})
    assert (seen[queued.id].progress, list(seen[queued.id].lines)) == (None, [])
    assert seen[beside.id].progress
    assert [line.text for line in seen[beside.id].lines] == ["Reads."]
    for name in (progress.key(queued.id), f"sync:log:{queued.id}"):
        redis.delete(name)
        redis.sadd(name, "x")  # another kind of key
    assert live.look({run.id: run.organization_id for run in (queued, beside)}).keys() == {
        queued.id,
        beside.id,
    }


def test_five_hundred_follow_a_run_at_once(
    server: Server,
    program: Program,
    queued: Run,
    home: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "OF_ONE", live.MOST)
    heard = asyncio.run(many(server, program, queued, lambda: syncs.cancel(home, queued.id, ANA)))
    assert heard == ["end"] * live.MOST


async def many(server: Server, program: Program, run: Run, then: Callable[[], object]) -> list[str]:
    """Open as many streams as there may be, do something, and return the last event of each."""
    at_once, host_port = asyncio.Semaphore(20), server.host.split(":")
    lines = [f"GET /api/v1/runs/{run.id}/events HTTP/1.1", f"host: {server.host}"]
    lines.append("connection: close")
    asked = "\r\n".join([*lines, f"authorization: Bearer {program.token}", "\r\n"]).encode()

    async def begin() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with at_once:
            reader, writer = await asyncio.open_connection(*host_port)
            writer.write(asked)
            await reader.readuntil(b"event: run")
            return reader, writer

    async def finish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        text = (await reader.read()).decode()
        writer.close()
        return str(re.findall(r"event: (\w+)", text)[-1])

    streams = await asyncio.gather(*(begin() for _ in range(live.MOST)))
    await asyncio.to_thread(then)
    return await asyncio.gather(*(finish(*stream) for stream in streams))


def test_without_redis_a_stream_goes_on(program: Program, queued: Run, home: Organization) -> None:
    with listening(program, queued) as events:
        assert next(events).data["status"] == "queued"
        with processes.frozen(processes.valkey()):
            syncs.cancel(home, queued.id, ANA)
            assert [one.event for one in events] == ["end"]


def test_another_organization_hears_nothing(
    server: Server, home: Organization, queued: Run
) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-2", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    stranger = Program(server, other)
    told = stranger("GET", f"/runs/{queued.id}/events")
    assert (told.status_code, told.json()["code"]) == (404, "unknown_run")
    with pytest.raises(InvalidStatus) as refused:
        connect(_socket(server, queued), additional_headers=stranger.headers)
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize("number", ["{}_0", "+{}", "%20{}", "{}.0", str(2**63)])
def test_a_socket_takes_a_number_as_it_is_written(
    number: str, server: Server, program: Program, queued: Run
) -> None:
    address = f"ws://{server.host}/api/v1/runs/{number.format(queued.id)}/socket"
    with pytest.raises(InvalidStatus) as refused:
        connect(address, additional_headers=program.headers)
    assert refused.value.response.status_code == 403


def test_a_look_at_what_is_watched_stays_behind_the_walls(queued: Run) -> None:
    """A number of a run that is watched as another organization's shows nothing."""
    assert live.look({queued.id: queued.organization_id}).keys() == {queued.id}
    assert live.look({queued.id: queued.organization_id + 1}) == {}


def test_nobody_takes_all_places_of_who_watches(
    server: Server,
    program: Program,
    queued: Run,
    home: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "OF_ONE", 1)
    another = Program(server, home, Role.ADMIN, replace(ANA, email="sarah.lim@example.org"))
    for _ in range(2):  # a place that was left is free
        with listening(program, queued) as events:
            assert next(events).event == "run"
            with listening(program, queued) as more:
                told = next(more)
            assert (told.event, told.data["code"]) == ("problem", "too_many_streams")
            with listening(another, queued) as of_another:
                assert next(of_another).event == "run"
        eventually(lambda: live.open_now() == 0)


def test_no_more_watch_than_the_server_bears(
    program: Program, queued: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST", 1)
    with listening(program, queued) as events:
        assert next(events).event == "run"
        with listening(program, queued) as more:
            told = next(more)
    assert (told.event, told.data["code"]) == ("problem", "too_many_streams")


# The same over a WebSocket


def _socket(server: Server, run: Run, since: str = "") -> str:
    return f"ws://{server.host}/api/v1/runs/{run.id}/socket?last_event_id={since}"


def _told(address: str, headers: dict[str, str]) -> list[Heard]:
    with connect(address, additional_headers=headers) as socket:
        return [Heard(**json.loads(message)) for message in socket]


def test_a_socket_carries_the_same_events(
    server: Server, program: Program, queued: Run, desk: Desk
) -> None:
    with connect(_socket(server, queued), additional_headers=program.headers) as socket:
        assert json.loads(socket.recv(10))["data"]["status"] == "queued"
        desk.work(queued)
        heard = [Heard(**json.loads(message)) for message in socket]
    assert heard[-1].event == "end"
    with listening(program, queued) as events:
        streamed = list(events)
    assert _told(_socket(server, queued), program.headers) == streamed
    rest = _told(_socket(server, queued, streamed[0].id), program.headers)
    assert rest == streamed[1:]


def test_open_sockets_and_streams_keep_no_request_from_its_answer(
    server: Server, program: Program, queued: Run
) -> None:
    with ExitStack() as open_ones:
        for _ in range(app.THREADS + 1):
            address = _socket(server, queued)
            open_ones.enter_context(connect(address, additional_headers=program.headers))
            next(open_ones.enter_context(listening(program, queued)))
        assert program.get(f"/runs/{queued.id}")["status"] == "queued"


def test_a_socket_opens_for_pages_of_ours_and_for_no_other_site(
    server: Server, queued: Run, home: Organization
) -> None:
    syncs.cancel(home, queued.id, ANA)
    ((name, value),) = server.cookie(ANA.email).items()
    cookie = {"cookie": f"{name}={value}"}
    assert _told(_socket(server, queued), {**cookie, "origin": server.url})[-1].event == "end"
    for headers, status in (
        ({**cookie, "origin": "https://evil.example.org"}, 403),
        ({}, 401),
        ({"authorization": "Bearer syncdesk_x"}, 401),
    ):
        with pytest.raises(InvalidStatus) as refused:
            connect(_socket(server, queued), additional_headers=headers)
        assert refused.value.response.status_code == status
