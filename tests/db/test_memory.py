"""A source that needs more memory than there is ends its run with a sentence, at the first try."""

import signal

import psycopg
import pytest

from sync_core.execution import memory
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus
from tests.support.desk import Desk
from tests.support.locations import LOCATIONS
from tests.support.processes import Crew
from tests.support.watching import ended

LIMIT = 700  # megabytes: what all modules take, and a few hundred more


@pytest.mark.alone
@pytest.mark.parametrize(("who", "code"), [("python", "too_much_memory"), ("polars", "aborted")])
def test_a_run_that_takes_too_much_memory_fails_at_once_with_a_sentence(
    who: str, code: str, crew: Crew, desk: Desk, database: psycopg.Connection
) -> None:
    worker = crew(HUNGRY=who, SYNCDESK_MEMORY_LIMIT=str(LIMIT))
    desk.write("locations", LOCATIONS)
    run = ended(desk.start("locations"))
    assert (run.status, run.attempt, run.error_code) == (RunStatus.FAILED, 1, code)
    assert run.message == SyncError(code, limit=LIMIT).sentence
    query = "select count(*) from locations where organization_id = %s"
    assert database.execute(query, [desk.organization.id]).fetchone() == (0,)
    assert worker.is_alive()


def test_what_came_of_a_lack_of_memory_is_told_as_such() -> None:
    error = ValueError("a library's words")
    error.__cause__ = MemoryError()
    assert memory.ran_out(error)
    assert not memory.ran_out(ValueError("something else"))


def test_only_a_process_that_the_kernel_may_have_ended_was_without_memory() -> None:
    killed = memory.fatal(signal.SIGKILL, kernel_ended_some=True)
    assert killed is not None
    assert killed.code == "machine_without_memory"
    assert memory.fatal(signal.SIGKILL, kernel_ended_some=False) is None
    assert memory.fatal(signal.SIGSEGV, kernel_ended_some=True) is None
