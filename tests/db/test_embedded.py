"""The embedded servers as real processes: joined, killed, left, and laid in odd places."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis, RedisError

from sync_core.foundation import embedded
from tests.support import waiting

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]
USER = """
import os, sys
from pathlib import Path
from sync_core.foundation import embedded

data, deed = Path(sys.argv[1]), sys.argv[2]
try:
    urls = embedded.servers(data)
except embedded.EmbeddedError as refusal:
    sys.exit(f"refused: {refusal}")
if deed == "release":
    embedded.release(60)
    print(sorted(path.name for path in data.glob("run/*")), flush=True)
    urls = embedded.servers(data)
if deed == "fork" and (child := os.fork()):
    os.waitpid(child, 0)
    sys.exit()
print(embedded.servers(data).owner, urls.redis, os.getpid(), flush=True)
sys.stdin.read()
"""


KEY = "a-marked-key-of-cliniko"
DAC_OVERRIDE = 1 << 1


@dataclass(frozen=True)
class User:
    """A process that uses the servers until its input ends."""

    process: subprocess.Popen[str]
    database: str
    redis: str
    pid: int  # of the process itself, or of its fork

    def ask(self, question: str) -> object:
        address = self.database.replace("+psycopg", "", 1)
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(question)
            return row[0] if cursor.description and (row := cursor.fetchone()) else None

    def valkey(self) -> Redis:
        return Redis.from_url(self.redis, decode_responses=True)


@dataclass(frozen=True)
class Crew:
    supervisor: psutil.Process
    postgres: psutil.Process
    valkey: psutil.Process

    def all_gone(self) -> bool:
        return all(gone(process) for process in (self.supervisor, self.postgres, self.valkey))


def begin(data: Path, deed: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", USER, data, deed],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def greet(process: subprocess.Popen[str]) -> User:
    assert process.stdout
    assert process.stderr
    words = process.stdout.readline().split()
    assert words, process.stderr.read()
    return User(process, words[0], words[1], int(words[2]))


def leave(process: subprocess.Popen[str]) -> str:
    """End a user as its input ends, and give back its complaints."""
    return process.communicate(timeout=60)[1]


@contextmanager
def use(data: Path, deed: str = "") -> Iterator[User]:
    process = begin(data, deed)
    try:
        yield greet(process)
    finally:
        assert leave(process) == ""


def refusal(data: Path) -> str:
    return leave(begin(data))


def crew(user: User) -> Crew:
    folder = Path(str(user.ask("SHOW data_directory")))
    postgres = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
    supervisor = postgres.parent()
    assert supervisor
    with user.valkey() as valkey:
        return Crew(supervisor, postgres, psutil.Process(valkey.info("server")["process_id"]))


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def eventually(comes_true: Callable[[], object]) -> bool:
    """Wait until it comes true, though the servers may be away meanwhile."""
    away = (psycopg.OperationalError, RedisError)
    return bool(waiting.eventually(comes_true, 60, despite=away))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cluster for most tests, in a folder whose name wants care."""
    folder = tmp_path_factory.mktemp("Zürich & Söhne 100% #1") / "data"
    with use(folder) as user:
        user.ask("CREATE TABLE kept (word text)")
        servers = crew(user)
    assert eventually(servers.all_gone)
    return folder


def test_processes_that_begin_at_once_share_one_pair_of_servers(tmp_path: Path) -> None:
    processes = [begin(tmp_path / "data") for _ in range(4)]
    users = [greet(process) for process in processes]
    crews = {crew(user) for user in users}
    assert [leave(process) for process in processes] == [""] * 4
    assert len(crews) == 1
    assert eventually(crews.pop().all_gone)


def test_the_servers_stay_until_the_last_user_leaves(data: Path) -> None:
    with use(data) as last:
        with use(data) as first:
            servers = crew(first)
        time.sleep(2 * embedded.TICK_SECONDS)  # the supervisor looks twice who is there
        assert last.ask("SELECT 1") == 1
        assert crew(last) == servers
    assert eventually(servers.all_gone)


def test_the_servers_stop_when_their_only_user_is_killed(data: Path) -> None:
    with use(data) as user:
        servers = crew(user)
        user.process.kill()
        assert eventually(servers.all_gone)


def test_release_waits_until_the_servers_have_stopped_and_they_can_be_used_again(
    data: Path,
) -> None:
    process = begin(data, "release")
    assert process.stdout
    assert process.stdout.readline() == "[]\n"
    assert greet(process).ask("SELECT 1") == 1
    assert leave(process) == ""


def test_a_forked_child_uses_the_servers_of_its_parent_and_outlives_it(data: Path) -> None:
    with use(data, "fork") as user:
        servers = crew(user)
        assert psutil.Process(user.pid).children() == []
        user.process.kill()
        assert user.process.wait()
        time.sleep(2 * embedded.TICK_SECONDS)
        assert crew(user) == servers
        psutil.Process(user.pid).kill()
        assert eventually(servers.all_gone)


def test_a_killed_postgres_comes_back_with_its_rows(data: Path) -> None:
    with use(data) as user:
        user.ask("INSERT INTO kept VALUES ('before the kill')")
        crew(user).postgres.kill()
        assert eventually(lambda: user.ask("SELECT count(*) FROM kept") == 1)


def test_a_killed_valkey_comes_back_with_its_keys(data: Path) -> None:
    with use(data) as user, user.valkey() as valkey:
        valkey.set("kept", "before the kill")
        crew(user).valkey.kill()
        assert eventually(lambda: valkey.get("kept") == "before the kill")


def damage(folder: Path, kind: str) -> None:
    """Damage the append-only file of Valkey, in one of its parts."""
    (file,) = (folder / "redis" / "appendonlydir").glob(f"*.{kind}")
    there = file.read_bytes()
    file.write_bytes(there[: len(there) // 2] + b"\xffdamaged\n" * 9 + there[len(there) // 2 :])


@pytest.mark.parametrize("kind", ["incr.aof", "manifest"])
def test_a_valkey_with_damaged_files_starts_without_them(data: Path, kind: str) -> None:
    with use(data) as user, user.valkey() as valkey:
        valkey.set("kept", "x" * 100)
        servers = crew(user)
        damage(data, kind)
        servers.valkey.kill()
        assert eventually(lambda: valkey.get("kept") is None)
        valkey.set("kept", "x" * 100)
        assert (data / "redis.damaged" / "appendonlydir").is_dir()
        damage(data, kind)  # once more, while the new files are young
        crew(user).valkey.kill()
        assert eventually(lambda: valkey.get("kept") is None)
        valkey.set("kept", "x" * 100)
    assert eventually(servers.all_gone)
    damage(data, kind)
    with use(data) as user, user.valkey() as valkey:
        assert valkey.get("kept") is None


def test_a_killed_supervisor_is_replaced_by_the_next_user(data: Path) -> None:
    with use(data) as first:
        old = crew(first)
        old.supervisor.kill()
        with use(data) as second:
            new = crew(second)
            assert eventually(old.all_gone)
            assert first.ask("SELECT 1") == 1
    assert eventually(new.all_gone)


def test_servers_without_supervisor_stop_when_their_user_leaves(data: Path) -> None:
    with use(data) as user:
        servers = crew(user)
        servers.supervisor.kill()
        assert eventually(lambda: gone(servers.supervisor))
    assert eventually(servers.all_gone)


def test_lock_files_that_name_a_strange_living_process_are_no_hindrance(data: Path) -> None:
    owner = data.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["/bin/sleep", "60"], user=owner) as stranger:
        lines = [
            str(stranger.pid),
            str(data / "pg"),
            "0",
            "5432",
            str(data / "run"),
            "",
            "",
            "ready",
        ]
        (data / "pg/postmaster.pid").write_text("\n".join(lines))
        (data / "run").mkdir(exist_ok=True)
        (data / "run/.s.PGSQL.5432.lock").write_text("\n".join(lines[:5]))
        with use(data) as user:
            assert user.ask("SELECT 1") == 1
        stranger.kill()


def test_nobody_else_on_the_machine_can_reach_the_servers(data: Path) -> None:
    with use(data) as user:
        servers = crew(user)
        sockets = Path(str(user.ask("SHOW unix_socket_directories")))
        assert [mode(folder) for folder in (data, sockets, data / "pg")] == [0o700] * 3
        assert mode(sockets / ".s.PGSQL.5432") == mode(sockets / "redis.sock") == 0o700
        assert servers.postgres.net_connections("inet") == []
        assert servers.valkey.net_connections("inet") == []


def test_servers_whose_folder_is_thrown_away_stop(tmp_path: Path) -> None:
    with use(tmp_path / "data") as user:
        servers = crew(user)
        shutil.rmtree(tmp_path / "data")
        assert eventually(servers.all_gone)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be too mighty")
def test_root_does_not_run_the_servers_as_root(data: Path) -> None:
    with use(data) as user:
        servers = crew(user)
        assert servers.postgres.uids().effective == data.stat().st_uid != 0
        assert servers.valkey.uids().effective == data.stat().st_uid


def test_the_servers_inherit_no_keys_and_no_right_that_they_do_not_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLINIKO_API_KEY_DEMO", KEY)
    with tempfile.TemporaryDirectory(prefix="syncdesk-") as folder:
        Path(folder).chmod(0o755)
        with use(Path(folder, "data")) as user:
            servers = crew(user)
            for process in (servers.supervisor, servers.postgres, servers.valkey):
                assert KEY not in str(process.environ())
            for process in (servers.postgres, servers.valkey):
                assert rights(process) == (0 if is_passable(process.exe()) else DAC_OVERRIDE)
        assert eventually(servers.all_gone)


def rights(process: psutil.Process) -> int:
    """Return the capabilities that a process has, as Linux counts them."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search("^CapEff:\t([0-9a-f]+)$", status, re.MULTILINE)
    assert found
    return int(found[1], 16)


def is_passable(program: str) -> bool:
    """Return whether everybody gets to a program."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in Path(program).parents)


def test_a_client_can_be_listed_though_the_path_has_blanks(data: Path) -> None:
    """RQ asks for this when a worker starts; redis-py cannot read a path with blanks in it."""
    assert " " in str(data)
    with use(data) as user:
        assert user.valkey().client_info()["addr"]


def test_a_long_path_with_a_comma_has_its_sockets_in_the_temporary_folder(tmp_path: Path) -> None:
    data = tmp_path / ("long, " * 25) / "data"
    with use(data) as user:
        folder = Path(str(user.ask("SHOW unix_socket_directories")))
        assert folder.parent == Path("/tmp")  # noqa: S108 - where they must be
        assert mode(folder) == 0o700
        servers = crew(user)
    assert eventually(servers.all_gone)
    assert not folder.exists()


def test_a_database_of_another_version_is_refused_in_one_sentence(data: Path) -> None:
    version = data / "pg/PG_VERSION"
    own = version.read_text()
    version.write_text("17\n")
    said = refusal(data)
    version.write_text(own)
    assert "did not start" in said
    assert "database files are incompatible with server" in said
    assert str(data / "log.txt") in said
    assert len(said.splitlines()) == 1


def test_a_file_in_the_place_of_the_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    said = refusal(tmp_path / "data")
    assert f"{tmp_path / 'data'} is in the way" in said
    assert len(said.splitlines()) == 1
