"""What is told where memory does not suffice: by Python, by a library, or by the kernel."""

import os
import signal

from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError


def ran_out(error: BaseException) -> bool:
    """Return whether an error, or what it came of, is that no more memory was given."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at and id(at) not in seen:
        if isinstance(at, MemoryError):
            return True
        seen.add(id(at))
        at = at.__cause__ or at.__context__
    return False


def too_much() -> SyncError:
    """Return the error of a source that needs more than a sync may have."""
    return SyncError("too_much_memory", limit=settings.current().memory_limit)


def fatal(status: int, kernel_ended_some: bool) -> SyncError | None:  # noqa: FBT001 - read by name
    """Return why a process that died so would do so again; None where it may do better.

    A library (Polars, pyarrow, an allocator) that is given no memory aborts. The kernel, where
    the machine has none left, kills; it tells how often it has, and not whom.
    """
    how = -os.waitstatus_to_exitcode(status)
    if how == signal.SIGABRT:
        return SyncError("aborted", limit=settings.current().memory_limit)
    if how == signal.SIGKILL and kernel_ended_some:
        return SyncError("machine_without_memory")
    return None
