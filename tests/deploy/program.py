"""The program on its machines: the pages twice, three workers, and maintenance alone."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx2

from sync_core.foundation.settings import ROOT
from tests.deploy import certificates, machines, servers
from tests.deploy.servers import Service
from tests.support.waiting import eventually

LIMIT = 300  # seconds that a run may take: none needs as many, whatever is cut
WITHIN = ("DATABASE_URL", "REDIS_URL", "STREAMLIT_", "SYNCDESK_", "GOOGLE_", "CLINIKO_")


@dataclass(frozen=True)
class Deployment:
    """All that runs."""

    postgres: servers.Postgres
    redis: Service
    proxy: servers.Proxy
    pages: tuple[Service, ...]
    workers: tuple[Service, ...]
    maintenance: Service
    environment: Mapping[str, str]  # of the program, and of who migrates
    authority: Path
    cookie_secret: str

    def __iter__(self) -> Iterator[Service]:
        """Go through all processes, whoever needs others first."""
        yield from (self.proxy.service, *self.pages, *self.workers, self.maintenance)
        yield from (self.redis, self.postgres.service)

    def ended(self) -> list[str]:
        """Tell what has ended by itself, and start it again as its machine would."""
        gone = [s for s in self if s.process and s.process.poll() is not None]
        told = [f"{s.name} ended by itself with {s.process and s.process.poll()}" for s in gone]
        for service in gone:
            service.start()
        return told

    def wait_for_pages(self, service: Service) -> None:
        """Wait until a process of the pages is ready."""
        eventually(lambda: is_ready(service), 60)

    def stop(self) -> None:
        """End everything, by process id."""
        for service in self:
            if service.process and service.process.poll() is None:
                service.stop()


def is_ready(pages: Service) -> bool:
    """Return whether a process of the pages finds all that it needs."""
    with suppress(httpx2.TransportError):
        where = f"http://{machines.address(pages.machine)}:{servers.PORT}/readyz"
        return httpx2.get(where, timeout=3).status_code == HTTPStatus.OK
    return False


def deploy(folder: Path, logs: Path) -> Deployment:
    """Start the servers, migrate, and start the program."""
    authority = certificates.make_authority(folder)
    postgres = servers.postgres(folder, logs / "postgres.log", authority)
    redis, redis_url = servers.redis(folder, logs / "redis.log", authority)
    ours = {k: v for k, v in os.environ.items() if not k.startswith(WITHIN)}
    environment = {
        **ours,
        "DATABASE_URL": postgres.url,
        "REDIS_URL": redis_url,
        "SYNCDESK_COOLDOWN": "0.2",
        "SYNCDESK_TIME_LIMIT": str(LIMIT),
        "SYNCDESK_ADDRESS": "https://desk",
        "SYNCDESK_API_RATE": "100000",
        "SSL_CERT_FILE": str(authority),  # by which sources are known
        "SYNCDESK_PRIVATE_HOSTS": machines.HERE,
        "FORWARDED_ALLOW_IPS": machines.address("desk"),  # whose word counts for who asks
    }
    syncdesk = str(Path(sys.executable).with_name("syncdesk"))
    migrating = {**environment, "SYNCDESK_MIGRATION_DATABASE_URL": postgres.owner_url}
    machines.start("maintenance", [syncdesk, "migrate"], migrating, logs / "migrate.log").wait()
    secrets, cookie_secret = servers.secrets_of_pages(folder)
    parts = Deployment(
        postgres,
        redis,
        servers.proxy(folder, logs / "haproxy.log"),
        tuple(_pages(n, environment, secrets, logs) for n in (1, 2)),
        tuple(_worker(n, environment, logs) for n in (1, 2, 3)),
        _maintenance(environment, logs),
        migrating,
        authority,
        cookie_secret,
    )
    for service in (*parts.pages, *parts.workers, parts.maintenance):
        service.start()
    return parts


def _pages(number: int, environment: Mapping[str, str], secrets: Path, logs: Path) -> Service:
    name = f"pages-{number}"
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "Home.py")]
    options = {
        "server.address": machines.address(name),
        "server.port": str(servers.PORT),
        "browser.serverAddress": "desk",  # where people open them
        "browser.serverPort": "443",
        "secrets.files": str(secrets),
    }
    command += [word for option, value in options.items() for word in (f"--{option}", value)]
    return _ours(name, command, environment, logs)


def _worker(number: int, environment: Mapping[str, str], logs: Path) -> Service:
    command = [sys.executable, str(ROOT / "worker.py"), "--without-maintenance"]
    return _ours(f"worker-{number}", command, environment, logs)


def _maintenance(environment: Mapping[str, str], logs: Path) -> Service:
    command = [sys.executable, "-m", "sync_core.execution.maintenance"]
    return _ours("maintenance", command, environment, logs)


def _ours(name: str, command: list[str], environment: Mapping[str, str], logs: Path) -> Service:
    return Service(name, name, command, environment, logs / f"{name}.log")
