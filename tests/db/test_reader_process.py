"""A source is read in a process of its own, which may hang or die of it, and takes nobody along."""

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import psutil
import pytest

from sync_core.catalogue import resources
from sync_core.execution import reader_process
from sync_core.execution.reader_process import Turns
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.operations import source_probes
from sync_core.organizations import source_settings
from sync_core.sources import SourceSetting, alone
from sync_core.sources.kinds import KINDS
from tests.support import bombs
from tests.support.desk import ANA, Desk
from tests.support.fakes import google as fake
from tests.support.fakes.google import Google
from tests.support.locations import LOCATIONS
from tests.support.sources import refusal, source_setting
from tests.support.waiting import eventually

THREADS = 40  # of the API that wait for answers: what anyio gives it
LIMIT = 700  # megabytes: what all modules take, and a few hundred more


@pytest.fixture
def hanging(desk: Desk) -> Iterator[Callable[[], SyncError]]:
    """Return the test of a source whose server never answers."""
    locations = resources.by_name("locations")
    with Google() as google:
        google.fault("/rows.csv", fake.hang, times=99)
        address = f"{google.url}/rows.csv"
        with db.within(desk.organization.id) as connection:
            found = source_settings.parse(desk.organization, locations, address, None, None)
            source_settings.save(connection, desk.organization, found)
        yield lambda: refusal(lambda: tried(desk))


def tried(desk: Desk) -> bool:
    (found,) = source_probes.probe_sources(desk.organization, ANA, "locations")
    if found.error:
        raise found.error
    return True


def can_read(desk: Desk) -> bool:
    desk.write("locations", LOCATIONS)
    desk.set_source("locations")
    return tried(desk)


def server() -> psutil.Process:
    children = psutil.Process().children()
    return next(child for child in children if "fork_server" in " ".join(child.cmdline()))


def readers() -> list[psutil.Process]:
    return server().children()


def test_a_source_that_takes_too_much_memory_ends_its_reader_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert can_read(desk)
    Path(desk.folder, "locations.csv").unlink()
    bombs.workbook_of_texts(Path(desk.folder, "locations.xlsx"))
    monkeypatch.setenv("SYNCDESK_MEMORY_LIMIT", str(LIMIT))
    settings.current.cache_clear()
    before = psutil.Process().memory_info().rss
    error = refusal(lambda: tried(desk))
    assert error.sentence == SyncError("too_much_memory", limit=LIMIT).sentence
    assert psutil.Process().memory_info().rss - before < 50 * bombs.MB
    monkeypatch.undo()
    settings.current.cache_clear()
    Path(desk.folder, "locations.xlsx").unlink()
    assert can_read(desk)


def test_a_reader_that_dies_is_told_and_the_next_one_reads(
    desk: Desk, hanging: Callable[[], SyncError]
) -> None:
    with ThreadPoolExecutor(1) as threads:
        error = threads.submit(hanging)
        eventually(readers, 60, despite=(StopIteration,))[0].kill()
        limit = settings.current().memory_limit
        assert error.result(60).sentence == SyncError("aborted", limit=limit).sentence
    assert can_read(desk)


def test_a_reader_that_hangs_is_ended(
    hanging: Callable[[], SyncError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_process, "SECONDS", 1)
    assert hanging().sentence == SyncError("probe_too_long", seconds=1).sentence
    eventually(lambda: not readers())


def test_no_more_than_two_sources_are_read_at_once(
    hanging: Callable[[], SyncError], monkeypatch: pytest.MonkeyPatch
) -> None:
    with reader_process.SOURCES.turn(), reader_process.SOURCES.turn():
        monkeypatch.setattr(reader_process, "SECONDS", 0.1)
        assert hanging().code == "probes_busy"


def test_however_many_sources_are_slow_together_most_threads_stay_free(
    hanging: Callable[[], SyncError], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [reader_process.SOURCES, reader_process.FILES]
    assert sum(one.at_once + one.waiting for one in limits) < THREADS / 2
    monkeypatch.setattr(reader_process, "SOURCES", Turns(at_once=1, waiting=0))
    with reader_process.SOURCES.turn():
        began = time.monotonic()
        assert hanging().code == "probes_busy"
        assert time.monotonic() - began < reader_process.SECONDS / 2  # it has not waited
    with reader_process.SOURCES.turn():
        pass


def test_whoever_reads_a_source_is_told_its_key_alone_and_whoever_compares_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = desk.organization.slug
    ours = settings.cliniko_variable(slug)
    secrets = {
        ours: "key-of-ours-au1",
        settings.cliniko_variable("other"): "key-of-others-au1",
        "CLINIKO_CONTACT": "it@example.org",
        "SYNCDESK_MAIL_PASSWORD": "of the mails",
        settings.channel_variable("SYNCDESK_WEBHOOK_KEY", slug, "ops"): "w" * 40,
        "GOOGLE_SERVICE_ACCOUNT_JSON": "of the sheets",
        "SYNCDESK_MONITOR_TOKEN": "m" * 40,
        "OF_SOMETHING_ELSE": "s" * 40,
        "DATABASE_URL": settings.urls().database,
        "REDIS_URL": settings.urls().redis,
        "HTTPS_PROXY": "http://user:of-the-proxy@proxy.example.org",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)

    def told(setting: SourceSetting | None) -> set[str]:
        return set(alone.environment(setting)) & set(secrets)

    def of(kind: str) -> SourceSetting:
        return replace(source_setting(kind, "x"), organization=slug)

    assert told(None) == told(of("folder")) == set()
    assert told(of("csv")) == {"HTTPS_PROXY"}
    assert told(of("sheet")) == {"GOOGLE_SERVICE_ACCOUNT_JSON", "HTTPS_PROXY"}
    assert told(of("cliniko")) == {ours, "CLINIKO_CONTACT", "HTTPS_PROXY"}

    def told_a_run(*kinds: str) -> set[str]:
        return set(alone.environment_of_run([of(kind) for kind in kinds])) & set(secrets)

    servers = {"DATABASE_URL", "REDIS_URL"}
    assert told_a_run() == told_a_run("folder") == servers
    assert told_a_run("cliniko") == {ours, "CLINIKO_CONTACT", "HTTPS_PROXY", *servers}
    assert told_a_run("folder", "sheet") == told(of("sheet")) | servers


NOT_OF_A_RUN = {  # settings that these packages read, and for whom
    "migration_database_url": "who migrates",
    "heads_file": "who checks the chain",
    "upload_limit": "who uploads",
    "sign_in_age": "who signs in",
    "google_service_account_file": "who reads a sheet: see `needs`",
}


def test_who_works_on_a_run_is_told_every_setting_that_it_asks_for() -> None:
    """Else it would take the default for what somebody has set. Found by reading the code."""
    of_runs = (
        "analytics audit catalogue engine execution foundation organizations records runs sources"
    ).split()
    asked = {
        name
        for package in of_runs
        for path in (settings.ROOT / "sync_core" / package).rglob("*.py")
        for name in re.findall(
            r"(?:current\(\)|opening\.settings|(?<![\w.])settings|usual)\.([a-z]\w+)\b(?!\()",
            path.read_text(),
        )
    }
    known = {spec.name for spec in fields(settings.Settings)}
    needs = {name for kind in KINDS.values() for name in kind.needs}
    assert len(asked & known) > 10
    assert asked & known <= alone.OF_RUN | needs | NOT_OF_A_RUN.keys()
    assert known >= alone.OF_RUN


def read_nothing() -> SyncError:
    """Let a reader look at an empty file: whatever source is set, it stays."""
    told = {"name": "x.csv", "entity": "locations", "locale": None}
    with Path(os.devnull).open("rb") as nothing:
        return refusal(lambda: reader_process.read("find_header", told, [nothing], environment={}))


def asking() -> list[psutil.Process]:
    """Return the readers that have a connection to the server of their source."""
    return [reader for reader in readers() if reader.net_connections("tcp")]


def memory(process: psutil.Process) -> bytes:
    """Return all that a process has in its memory."""
    ranges = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    parts = []
    with Path(f"/proc/{process.pid}/mem").open("rb", buffering=0) as whole:
        for line in ranges:
            place, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(one, 16) for one in place.split("-"))
                with suppress(OSError):
                    whole.seek(start)
                    parts.append(whole.read(end - start))
    return b"".join(parts)


def test_who_reads_has_neither_the_address_of_the_database_nor_a_key_of_others_in_its_memory(
    hanging: Callable[[], SyncError], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_nothing().code == "empty_file"
    died = server()  # the next one is started with what follows in the environment
    died.kill()
    died.wait()
    secrets = {
        "SYNCDESK_MAIL_PASSWORD": "mails-" + uuid.uuid4().hex,
        settings.cliniko_variable("other"): "cliniko-" + uuid.uuid4().hex,
        "CLINIKO_CONTACT": "it@example.org",
        "DATABASE_URL": "postgresql://program:" + uuid.uuid4().hex + "@db.example.org/syncdesk",
        "REDIS_URL": "rediss://:" + uuid.uuid4().hex + "@redis.example.org",
    }
    servers_folder = Path(settings.urls().database.partition("host=")[2].partition("&")[0])
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    assert read_nothing().code == "empty_file"
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(hanging)
        found = eventually(lambda: first.done() or asking(), 60, despite=(psutil.NoSuchProcess,))
        assert isinstance(found, list), first.result()
        reader = found[0]
        reader.suspend()
        known = [memory(reader), memory(server())]
        reader.kill()
        first.result(60)
    assert b"/rows.csv" in known[0]
    del secrets["CLINIKO_CONTACT"]
    for secret in (*secrets.values(), f"{servers_folder}/", os.fspath(servers_folder)):
        assert not any(secret.encode() in one for one in known)


def test_an_organization_tests_one_source_at_once_and_holds_no_thread_beside(
    desk: Desk, hanging: Callable[[], SyncError], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(hanging)
        reader = eventually(readers, 60, despite=(StopIteration,))[0]
        monkeypatch.setattr(reader_process, "SECONDS", 1)
        assert hanging().code == "probes_busy"
        assert readers() == [reader]
        reader.kill()
        assert first.result(60).code in {"aborted", "probe_too_long"}
    monkeypatch.undo()
    assert can_read(desk)


def test_a_server_of_forks_that_died_is_started_again(desk: Desk) -> None:
    assert can_read(desk)
    died = server()
    died.kill()
    died.wait()
    assert can_read(desk)
    assert server() != died


READ_AND_DIE = """
import os, psutil
from sync_core.execution import reader_process
from sync_core.foundation.errors import SyncError
try:
    told = {"name": "x.csv", "entity": "locations", "locale": None}
    with open(os.devnull, "rb") as nothing:
        reader_process.read("find_header", told, [nothing], environment={})
except SyncError as error:
    print(error.code, psutil.Process().children()[0].pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_server_of_forks_ends_with_whom_it_serves() -> None:
    asked = [sys.executable, "-c", READ_AND_DIE]
    done = subprocess.run(asked, cwd=settings.ROOT, capture_output=True, text=True, check=False)
    code, pid = done.stdout.split()
    assert code == "empty_file"
    eventually(lambda: not psutil.pid_exists(int(pid)))
