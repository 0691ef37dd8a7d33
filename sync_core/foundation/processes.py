"""What a process of ours is started with, and what the kernel is asked for it."""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

from sync_core.foundation.embedded import ENVIRONMENT

PR_SET_PDEATHSIG = 1  # of prctl(2)
ENV_START = 47  # which word after the name of the program, in /proc/PID/stat (proc(5))
CERTIFICATES = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR"})  # of servers that are trusted


def bare_environment() -> dict[str, str]:
    """Return the environment of a process that is told nothing of ours: no key is in it."""
    needed = ENVIRONMENT | CERTIFICATES
    return {name: value for name, value in os.environ.items() if name in needed}


def forget_first_environment() -> None:
    """Overwrite the variables with which this program was started: nobody may need them any more.

    They stay in its memory, and in what the kernel tells of it, though `os.environ` has others.
    Other systems than Linux do not tell where.
    """
    if sys.platform == "linux":
        told = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
        start, end = map(int, told.rpartition(")")[2].split()[ENV_START : ENV_START + 2])
        ctypes.memset(start, 0, end - start)


def end_with_parent(number: signal.Signals) -> None:
    """Let the kernel send this process the signal when its parent ends, however that one ends.

    Other systems than Linux have no such thing: there, nothing happens.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def limit_memory(megabytes: int) -> None:
    """Let this process have no more memory of its own: what asks for more is refused.

    It counts what may be written to, not what is only reserved or shared (RLIMIT_DATA).
    """
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    asked = megabytes * 1024 * 1024
    given = asked if most == resource.RLIM_INFINITY else min(asked, most)
    resource.setrlimit(resource.RLIMIT_DATA, (given, most))


def lift_memory_limit() -> None:
    """Let a process whose memory has run out say so."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def ended_for_memory() -> int:
    """Count the processes that the kernel has ended for want of memory; 0 where it tells nobody."""
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            name, _, number = line.partition(" ")
            if name == "oom_kill":
                return int(number)
    return 0
