"""What a chaos run throws at its workers and its servers."""

import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread

import psutil
import psycopg
from redis import RedisError

from sync_core.foundation import db, redis_clients
from sync_core.runs import lease
from tests.chaos.actors import Crew
from tests.support import bends, processes
from tests.support.processes import Process, frozen, gone, kill

POSTGRES, REDIS = "Postgres", "Redis"


@dataclass(frozen=True)
class Targets:
    """Whom a fault may hit."""

    worker: Process
    work_horse: int | None
    maintenance: tuple[int | None, ...]
    seconds: float  # for which it may last
    chance: random.Random


@dataclass(frozen=True)
class Fault:
    """One thing that was done."""

    name: str
    worker: int | None
    work_horse: int | None
    start: float  # seconds since 1970
    end: float


@dataclass
class Faults:
    """Throws one fault after the other; some last for a while, and overlap."""

    crew: Crew
    chance: random.Random
    done: list[Fault] = field(default_factory=list)
    _busy: dict[str | int | None, Thread] = field(default_factory=dict)

    def throw(self) -> None:
        """Throw a fault by chance, at a server or a worker that has none at the moment."""
        (name,) = self.chance.choices(list(FAULTS), [weight for weight, _ in FAULTS.values()])
        busy = [worker for worker in self.crew.workers if processes.work_horse(worker)]
        worker = self.chance.choice(busy or self.crew.workers)
        target = name.split()[0] if name.startswith((POSTGRES, REDIS)) else worker.pid
        if (last := self._busy.get(target)) and last.is_alive():
            return
        maintenance = tuple(processes.maintenance(process) for process in self.crew.workers)
        alone = tuple(process.pid for process in self.crew.others)
        targets = Targets(
            worker,
            processes.work_horse(worker),
            maintenance + alone,
            self.chance.uniform(2, 8),
            self.chance,
        )
        self._busy[target] = Thread(target=self._do, args=(name, targets), daemon=True)
        self._busy[target].start()

    def wait(self) -> None:
        """Wait until the last of them is over."""
        for thread in self._busy.values():
            thread.join(60)

    def _do(self, name: str, targets: Targets) -> None:
        start = time.time()
        with suppress(OSError, psutil.Error, psycopg.Error, RedisError):
            FAULTS[name][1](targets)
        self.done.append(Fault(name, targets.worker.pid, targets.work_horse, start, time.time()))


def work_horse_killed(targets: Targets) -> None:
    kill(targets.work_horse)


def worker_killed(targets: Targets) -> None:
    kill(targets.worker.pid)


def worker_and_work_horse_killed(targets: Targets) -> None:
    kill(targets.worker.pid)
    kill(targets.work_horse)


def worker_stopped(targets: Targets) -> None:
    kill(targets.worker.pid, signal.SIGTERM)


def work_horse_frozen(targets: Targets) -> None:
    with frozen(targets.work_horse):
        time.sleep(lease.LEASE_SECONDS + targets.seconds)


def worker_and_work_horse_frozen(targets: Targets) -> None:
    with frozen(targets.worker.pid, targets.work_horse):
        time.sleep(targets.seconds * 2)


def maintenance_killed(targets: Targets) -> None:
    kill(targets.chance.choice(targets.maintenance))


def all_maintenance_frozen(targets: Targets) -> None:
    with frozen(*targets.maintenance):
        time.sleep(targets.seconds)


def redis_wiped(_targets: Targets) -> None:
    redis_clients.client().flushall()


def redis_killed(_targets: Targets) -> None:
    kill(processes.valkey())


def redis_down(targets: Targets) -> None:
    with gone(processes.valkey):
        time.sleep(targets.seconds)


def redis_frozen(targets: Targets) -> None:
    with frozen(processes.valkey()):
        time.sleep(targets.seconds)


def postgres_killed(_targets: Targets) -> None:
    kill(processes.postmaster())


def postgres_restarted(_targets: Targets) -> None:
    kill(processes.postmaster(), signal.SIGINT)


def postgres_backend_killed(targets: Targets) -> None:
    kill(targets.chance.choice(processes.postgres()[1:]))


def postgres_down(targets: Targets) -> None:
    with gone(processes.postmaster):
        time.sleep(targets.seconds)


def postgres_frozen(targets: Targets) -> None:
    with frozen(*processes.postgres()):
        time.sleep(targets.seconds)


def redis_answers_errors(targets: Targets) -> None:
    with bends.redis_answers(targets.chance.choice(list(bends.REDIS_ERRORS))):
        time.sleep(targets.seconds)


def postgres_full_of_connections(targets: Targets) -> None:
    with bends.full_of_connections(but_for=db.name()):
        time.sleep(targets.seconds)


FAULTS: dict[str, tuple[float, Callable[[Targets], None]]] = {  # weight, what to do
    "work-horse killed": (4, work_horse_killed),
    "worker killed": (2, worker_killed),
    "worker and work-horse killed": (2, worker_and_work_horse_killed),
    "worker stopped": (3, worker_stopped),
    "work-horse frozen": (2, work_horse_frozen),
    "worker and work-horse frozen": (1, worker_and_work_horse_frozen),
    "maintenance killed": (1, maintenance_killed),
    "all maintenance frozen": (1, all_maintenance_frozen),
    "Redis wiped": (2, redis_wiped),
    "Redis killed": (1, redis_killed),
    "Redis down": (1, redis_down),
    "Redis frozen": (1, redis_frozen),
    "Redis answers errors": (2, redis_answers_errors),
    "Postgres killed": (0.25, postgres_killed),
    "Postgres restarted": (0.25, postgres_restarted),
    "Postgres backend killed": (0.4, postgres_backend_killed),
    "Postgres down": (0.25, postgres_down),
    "Postgres frozen": (0.4, postgres_frozen),
    "Postgres full of connections": (0.25, postgres_full_of_connections),
}
