"""The servers of a deployment, as Debian ships them: Postgres, Redis or Valkey, and HAProxy."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from sync_core.foundation.settings import ROOT
from tests.deploy import certificates, machines
from tests.support.waiting import eventually

NAME = "syncdesk"  # of the database, and of the program's role
OWNER = "syncdesk_owner"  # of the tables
NEEDED = ("postgresql", "redis-server or valkey-server", "haproxy", "iproute2", "openssl")
STOP_SECONDS = 30  # that a process gets to end by itself
PORT = 8501  # of the pages


@dataclass
class Service:
    """A process that its machine keeps: started again where it is killed."""

    name: str
    machine: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    user: str | None = None
    ends_by: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it."""
        self.process = machines.start(
            self.machine, self.command, self.environment, self.log, self.user
        )

    @property
    def pid(self) -> int:
        """Return the process id."""
        if self.process is None:
            raise ProcessLookupError(self.name)
        return self.process.pid

    def kill(self) -> None:
        """Kill it without a word; its machine starts it again after a second."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait()
        time.sleep(1)
        self.start()

    def upgrade(self) -> float:
        """Ask it to end, and start it anew; returns the seconds that it took to end."""
        took = self.stop()
        self.start()
        return took

    def stop(self) -> float:
        """Ask it to end; returns the seconds that it took."""
        begun = time.monotonic()
        with suppress(ProcessLookupError):
            os.kill(self.pid, self.ends_by)
        self._wait()
        return time.monotonic() - begun

    def _wait(self) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait()
            raise TimeoutError(f"{self.name} did not end within {STOP_SECONDS} s") from None


def missing() -> list[str]:
    """Name the packages of Debian that are not there."""
    found = (_postgres("postgres"), _redis(), *map(shutil.which, ("haproxy", "ip", "openssl")))
    return [name for name, path in zip(NEEDED, found, strict=True) if not path]


def _postgres(program: str) -> str | None:
    path = next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))[::-1]), None)
    return str(path) if path else None


def _redis() -> str | None:
    return shutil.which("valkey-server") or shutil.which("redis-server")


@dataclass(frozen=True)
class Postgres:
    """Postgres, over TCP with TLS and passwords alone; on its machine also by a socket."""

    service: Service
    folder: Path
    password: str
    authority: Path

    @property
    def url(self) -> str:
        """Return the address for DATABASE_URL."""
        return self._as(NAME)

    @property
    def owner_url(self) -> str:
        """Return the address for SYNCDESK_MIGRATION_DATABASE_URL."""
        return self._as(OWNER)

    def _as(self, role: str) -> str:
        asked = f"sslmode=verify-full&sslrootcert={self.authority}"
        return f"postgresql://{role}:{self.password}@postgres:5432/{NAME}?{asked}"

    def administer(self, database: str = "postgres") -> psycopg.Connection:
        """Connect as whoever administers the server."""
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        )

    def answers(self) -> bool:
        """Return whether it does."""
        with suppress(psycopg.OperationalError), self.administer():
            return True
        return False


def postgres(folder: Path, log: Path, authority: Path) -> Postgres:
    """Make a cluster whose certificate is the authority's, start it, and let the program in."""
    home = folder / "postgres"
    home.mkdir()
    shutil.chown(home, "postgres")
    data = home / "data"
    initdb = [_postgres("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run(
        [*machines.as_user("postgres"), *map(str, initdb)], check=True, capture_output=True
    )
    certificate, key = certificates.make(folder, "postgres", "postgres")
    (data / "postgresql.auto.conf").write_text(
        f"listen_addresses = '{machines.address('postgres')}'\n"
        f"unix_socket_directories = '{home}'\n"
        f"ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n"
        "track_commit_timestamp = on\n"  # for the witness
    )
    network = f"{machines.address('postgres')}/24"
    (data / "pg_hba.conf").write_text(
        f"local all postgres trust\nhostssl {NAME} {NAME},{OWNER} {network} scram-sha-256\n"
    )
    command = [str(_postgres("postgres")), "-D", str(data)]
    fast = signal.SIGINT  # it ends all connections
    service = Service("Postgres", "postgres", command, os.environ, log, "postgres", fast)
    made = Postgres(service, home, secrets.token_hex(16), authority)
    service.start()
    eventually(made.answers)
    with made.administer() as connection:
        role = sql.SQL("create role {} login password {}")
        for name in (NAME, OWNER):
            connection.execute(role.format(sql.Identifier(name), sql.Literal(made.password)))
        connection.execute(f"grant {NAME} to {OWNER}")
        connection.execute(f"create database {NAME} owner {OWNER}")
    return made


def redis(folder: Path, log: Path, authority: Path) -> tuple[Service, str]:
    """Start Redis, by TLS alone and with a password; returns its address for REDIS_URL, too."""
    password = secrets.token_hex(16)
    home = folder / "redis"
    home.mkdir()
    certificate, key = certificates.make(folder, "redis", "redis")
    settings = {
        "bind": machines.address("redis"),
        "port": "0",
        "tls-port": "6379",
        "tls-cert-file": certificate,
        "tls-key-file": key,
        "tls-ca-cert-file": authority,
        "tls-auth-clients": "no",
        "user": f"{NAME} on >{password} ~* &* +@all",
        "dir": home,
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
    }
    lines = [f"{name} {value}" for name, value in settings.items()] + ["user default off"]
    (home / "redis.conf").write_text("\n".join(lines) + "\n")
    for path in (home, home / "redis.conf"):
        shutil.chown(path, "redis")
    command = [str(_redis()), str(home / "redis.conf")]
    service = Service("Redis", "redis", command, os.environ, log, "redis")
    service.start()
    return service, f"rediss://{NAME}:{password}@redis:6379/0?ssl_ca_certs={authority}"


@dataclass(frozen=True)
class Proxy:
    """HAProxy before the pages, with the file of docs/."""

    service: Service
    admin: Path

    def tell(self, *words: str) -> str:
        """Give HAProxy an order through its socket, as a deploy does."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.admin))
            line.sendall((" ".join(words) + "\n").encode())
            line.shutdown(socket.SHUT_WR)
            return line.makefile().read()

    def take_out(self, name: str) -> None:
        """Send no new visitor to a process of the pages, and those that are there elsewhere."""
        for backend in ("ready", "alive"):
            self.tell("set server", f"{backend}/{name}", "state maint")

    def take_in(self, name: str) -> None:
        """Let visitors come again."""
        for backend in ("ready", "alive"):
            self.tell("set server", f"{backend}/{name}", "state ready")

    def wait_for(self, name: str) -> None:
        """Wait until visitors are sent to a process of the pages again."""
        eventually(lambda: f"ready,{name},UP" in self._states(), 60)

    def _states(self) -> str:
        lines = [line.split(",") for line in self.tell("show stat").splitlines()]
        return "\n".join(",".join((*line[:2], line[17])) for line in lines if len(line) > 17)


def proxy(folder: Path, log: Path) -> Proxy:
    """Start HAProxy with a certificate for `desk`."""
    certificate, key = certificates.make(folder, "desk", "root")
    both = folder / "desk.pem"
    both.touch(0o600)
    both.write_text(certificate.read_text() + key.read_text())
    environment = {
        "CERTIFICATE": str(both),
        "ADMIN": str(folder / "haproxy.sock"),
        **{f"PAGES_{n}": f"{machines.address(f'pages-{n}')}:{PORT}" for n in (1, 2)},
    }
    command = [str(shutil.which("haproxy")), "-W", "-f", str(ROOT / "docs" / "haproxy.cfg")]
    service = Service("HAProxy", "desk", command, {**os.environ, **environment}, log)
    service.start()
    return Proxy(service, folder / "haproxy.sock")


def secrets_of_pages(folder: Path) -> tuple[Path, str]:
    """Write the secrets of the pages, the same for all of their processes; returns the cookie's."""
    secret = secrets.token_hex(32)
    provider = "https://sign-in.example.org/.well-known/openid-configuration"
    told = {
        "redirect_uri": "https://desk/oauth2callback",
        "cookie_secret": secret,
        "client_id": NAME,
        "client_secret": "made-up",
        "server_metadata_url": provider,
    }
    path = folder / "secrets.toml"
    path.touch(0o600)
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items()]
    path.write_text("[auth]\n" + "\n".join(lines) + "\n")
    return path, secret
