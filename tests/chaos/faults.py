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
from tests.chaos.source_faults import CLINIKO, CSV, GOOGLE, SOURCE_FAULTS, Sources
from tests.support import bends, processes, watching
from tests.support.processes import Process, frozen, gone, kill

POSTGRES, REDIS = "Postgres", "Redis"
SERVERS = (POSTGRES, REDIS, GOOGLE, CLINIKO, CSV, "clock")


@dataclass(frozen=True)
class Targets:
    """Whom a fault may hit."""

    worker: Process
    work_horse: int | None
    maintenance: tuple[int | None, ...]
    sources: Sources
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
    sources: Sources
    chance: random.Random
    done: list[Fault] = field(default_factory=list)
    _deck: list[str] = field(default_factory=list)
    _busy: dict[str | int | None, Thread] = field(default_factory=dict)

    def throw(self) -> None:
        """Throw a fault by chance, at a server or a worker that has none at the moment."""
        name = self._draw()
        busy = [worker for worker in self.crew.workers if processes.work_horse(worker)]
        worker = self.chance.choice(busy or self.crew.workers)
        target = name.split()[0] if name.startswith(SERVERS) else worker.pid
        if (last := self._busy.get(target)) and last.is_alive():
            self._deck.insert(self.chance.randrange(len(self._deck) + 1), name)
            return
        maintenance = tuple(processes.maintenance(process) for process in self.crew.workers)
        alone = tuple(process.pid for process in self.crew.others)
        targets = Targets(
            worker,
            processes.work_horse(worker),
            maintenance + alone,
            self.sources,
            self.chance.uniform(2, 8),
            self.chance,
        )
        self._busy[target] = Thread(target=self._do, args=(name, targets), daemon=True)
        self._busy[target].start()

    def _draw(self) -> str:
        """Draw from a shuffled deck, so that each kind comes in its time."""
        if not self._deck:
            counts = [count for count, _ in FAULTS.values()]
            self._deck = self.chance.sample(list(FAULTS), sum(counts), counts=counts)
        return self._deck.pop()

    def wait(self) -> None:
        """Wait until the last of them is over."""
        for thread in self._busy.values():
            thread.join(60)

    def _do(self, name: str, targets: Targets) -> None:
        start = time.time()
        with suppress(OSError, psutil.Error, psycopg.Error, RedisError, *db.ERRORS):
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


def redis_files_damaged(_targets: Targets) -> None:
    """Damage the append-only file of a Redis that is down."""
    with gone(processes.valkey):
        for file in (processes.data() / "redis" / "appendonlydir").glob("*.incr.aof"):
            there = file.read_bytes()
            half = len(there) // 2
            file.write_bytes(there[:half] + b"\xffdamaged\n" * 9 + there[half:])


def clock_jumps(targets: Targets) -> None:
    """Set the clock of Postgres forward or back: leases become older, or later than any."""
    watching.let_time_pass(targets.chance.choice((-120, -30, 20, 120)))


def postgres_full_of_connections(targets: Targets) -> None:
    with bends.full_of_connections(but_for=db.name()):
        time.sleep(targets.seconds)


def _at_source(name: str) -> Callable[[Targets], None]:
    return lambda targets: SOURCE_FAULTS[name].do(targets.sources, targets.seconds, targets.chance)


FAULTS: dict[str, tuple[int, Callable[[Targets], None]]] = {  # how often in a deck, what to do
    "work-horse killed": (10, work_horse_killed),
    "worker killed": (5, worker_killed),
    "worker and work-horse killed": (5, worker_and_work_horse_killed),
    "worker stopped": (7, worker_stopped),
    "work-horse frozen": (5, work_horse_frozen),
    "worker and work-horse frozen": (3, worker_and_work_horse_frozen),
    "maintenance killed": (3, maintenance_killed),
    "all maintenance frozen": (2, all_maintenance_frozen),
    "Redis wiped": (4, redis_wiped),
    "Redis killed": (2, redis_killed),
    "Redis down": (2, redis_down),
    "Redis frozen": (2, redis_frozen),
    "Redis answers errors": (6, redis_answers_errors),
    "Redis files damaged": (2, redis_files_damaged),
    "Postgres killed": (1, postgres_killed),
    "Postgres restarted": (1, postgres_restarted),
    "Postgres backend killed": (1, postgres_backend_killed),
    "Postgres down": (1, postgres_down),
    "Postgres frozen": (1, postgres_frozen),
    "Postgres full of connections": (2, postgres_full_of_connections),
    "clock jumps": (4, clock_jumps),
    **{name: (fault.count, _at_source(name)) for name, fault in SOURCE_FAULTS.items()},
}
