import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sync_core.audit import hash_chain
from sync_core.audit.heads import HeadsFile
from sync_core.execution import maintenance
from sync_core.execution.heartbeat import StopRequest
from sync_core.foundation import db, settings
from sync_core.organizations import Organization, actions
from sync_core.organizations.actions import SignedIn
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask
from tests.support.waiting import eventually


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "outside" / "heads.jsonl"
    path.parent.mkdir()
    monkeypatch.setenv("SYNCDESK_HEADS_FILE", str(path))
    settings.current.cache_clear()
    return path


@pytest.fixture(autouse=True)
def _as_before() -> None:
    settings.current.cache_clear()


def act(organization: Organization) -> None:
    with db.everywhere() as connection:
        actions.record(connection, organization.id, ANA, SignedIn())


def noted(file: Path, organization: Organization) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [line for line in lines if line["organization"] == organization.slug]


def head(organization: Organization) -> tuple[int, str]:
    with db.everywhere() as connection:
        return hash_chain.head(connection, organization.id)


def test_each_new_head_is_appended_once(desk: Desk, file: Path) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    heads = HeadsFile()
    heads.keep()
    heads.keep()
    HeadsFile().keep()  # another process, or the same after a restart
    (line,) = noted(file, desk.organization)
    assert (line["link"], line["head"]) == head(desk.organization)
    assert line["run"] == run.id
    before = file.read_bytes()
    act(desk.organization)
    heads.keep()
    assert file.read_bytes().startswith(before)
    assert [line["link"] for line in noted(file, desk.organization)] == [2, 3]
    assert "action" in noted(file, desk.organization)[-1]


def test_maintenance_notes_the_heads(organization: Organization, file: Path) -> None:
    act(organization)
    stop = StopRequest()
    thread = threading.Thread(target=maintenance.run, args=(stop,), daemon=True)
    thread.start()
    try:
        eventually(lambda: file.exists() and noted(file, organization), 20)
    finally:
        stop.made = True
        thread.join(20)
    assert noted(file, organization)[-1]["head"] == head(organization)[1]


def test_a_file_that_cannot_be_written_is_told_once_and_stops_nothing(
    organization: Organization, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    act(organization)
    heads = HeadsFile()
    file.parent.rmdir()
    with caplog.at_level(logging.ERROR, "syncdesk.heads"):
        heads.keep()
        heads.keep()
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("the heads of the audit cannot be written to")
    file.parent.mkdir()
    heads.keep()
    assert noted(file, organization)[-1]["head"] == head(organization)[1]


def test_what_was_left_half_written_spoils_no_other_line(
    organization: Organization, file: Path
) -> None:
    act(organization)
    file.write_text('{"at": "2026-11-')
    HeadsFile().keep()
    done = ask("verify", "--heads", str(file))
    assert done.exit_code == 8
    lines = done.stdout.splitlines()
    assert lines[0] == "Line 1: it cannot be read."
    assert len(lines) == 2


def test_a_chain_that_was_rewritten_as_a_whole_is_found(
    desk: Desk, file: Path, tamper: Callable[..., None]
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    HeadsFile().keep()
    assert ask("verify", "--heads", str(file)).exit_code == 0
    tamper("update runs set message = 'rosy' where id = %s", run.id)
    tamper("delete from links where kind = 'run' and subject_id = %s", run.id)
    with db.as_owner() as connection:
        values = {"org": desk.organization.id, "run": run.id}
        connection.exec_driver_sql("select add_link(%(org)s, 'run', %(run)s)", values)
        told = str(hash_chain.verify(connection, desk.organization).broken)
    assert told.startswith("link 2 has another hash than line")
    done = ask("verify", "--heads", str(file))
    assert done.exit_code == 8
    told = f"link 2 of '{desk.organization.slug}' has another hash: the chain was rewritten."
    assert told in done.stdout


def test_a_chain_that_lost_its_end_is_found(
    desk: Desk, file: Path, tamper: Callable[..., None]
) -> None:
    act(desk.organization)
    HeadsFile().keep()
    tamper("delete from links where organization_id = %s", desk.organization.id)
    done = ask("verify", "--heads", str(file), "--json")
    assert done.exit_code == 8
    told = f"there is no link 1 of '{desk.organization.slug}' any more."
    assert told in " ".join(json.loads(done.stdout)["wrong"])


@pytest.mark.parametrize(
    "text", ["[]", "1", '{"organization": 1, "link": "x", "head": 2}', "\x00\xff", "[" * 100_000]
)
def test_a_file_of_anything_is_answered_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "heads"
    path.write_text(text, encoding="latin-1")
    done = ask("verify", "--heads", str(path))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (8, "Line 1: it cannot be read.")


def test_the_head_is_printed_for_whoever_notes_it(organization: Organization) -> None:
    act(organization)
    done = ask("verify", "--org", organization.slug, "--head")
    link, hashed = head(organization)
    assert (done.exit_code, done.stdout) == (0, f"{organization.slug}\t{link}\t{hashed}\n")
