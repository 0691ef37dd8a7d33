"""What is done to a deployment while syncs go on: each part is killed, upgraded and cut off."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import psutil

from tests.deploy import machines
from tests.deploy.program import Deployment
from tests.deploy.servers import Service


@dataclass(frozen=True)
class Fault:
    """One thing that is done."""

    name: str
    do: Callable[[], object]


def faults(deployed: Deployment, seconds: float) -> Iterator[Fault]:
    """List them; a cut lasts for so many seconds."""
    yield from kills(deployed)
    yield from upgrades(deployed)
    yield from cuts(seconds)


def kills(deployed: Deployment) -> Iterator[Fault]:
    """Kill each; its machine starts it again after a second."""
    one_of_each = {service.name.rstrip("-123"): service for service in [*deployed][::-1]}
    for service in one_of_each.values():
        yield Fault(f"{service.name} killed", service.kill)
    yield Fault("work-horse of worker-1 killed", partial(_kill_work_horse, deployed.workers[0]))


def _kill_work_horse(worker: Service) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if horses := psutil.Process(worker.pid).children():
            horses[0].kill()
            return
        time.sleep(0.05)
    raise TimeoutError(f"{worker.name} had nothing to do for 30 s")


def upgrades(deployed: Deployment) -> Iterator[Fault]:
    """Give each a new version, as a deploy does: what it has in hand is given back first."""
    yield Fault("workers upgraded, one by one", lambda: [w.upgrade() for w in deployed.workers])
    yield Fault("pages upgraded, one by one", partial(_upgrade_pages, deployed))
    yield Fault("maintenance upgraded", deployed.maintenance.upgrade)
    reload = partial(_signal, deployed.proxy.service, signal.SIGUSR2)
    yield Fault("HAProxy reloaded", reload)
    yield Fault("Redis restarted", deployed.redis.upgrade)
    yield Fault("Postgres restarted", deployed.postgres.service.upgrade)


def _upgrade_pages(deployed: Deployment) -> None:
    """Let the proxy send nobody to a process that is upgraded."""
    for service in deployed.pages:
        deployed.proxy.take_out(service.name)
        service.upgrade()
        deployed.wait_for_pages(service)
        deployed.proxy.take_in(service.name)
        deployed.proxy.wait_for(service.name)


def _signal(service: Service, number: signal.Signals) -> None:
    psutil.Process(service.pid).send_signal(number)


def cuts(seconds: float) -> Iterator[Fault]:
    """Let those who speak with each other not see each other for a while."""
    everybody = [m for m in machines.MACHINES if m not in {"postgres", "redis", machines.HERE}]
    for pair in (
        ("worker-1", "postgres"),
        ("worker-1", "redis"),
        ("worker-1", machines.HERE),
        ("pages-1", "postgres"),
        ("pages-1", "redis"),
        ("desk", "pages-1"),
        ("maintenance", "postgres"),
        ("maintenance", "redis"),
    ):
        yield Fault(f"{pair[0]} cut from {pair[1]}", partial(_cut, [pair], seconds))
    for server in ("postgres", "redis"):
        pairs = [(name, server) for name in everybody]
        yield Fault(f"everybody cut from {server}", partial(_cut, pairs, seconds))


def _cut(pairs: list[tuple[str, str]], seconds: float) -> None:
    with machines.cut(pairs):
        time.sleep(seconds)
