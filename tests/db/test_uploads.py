"""Uploaded files: the source of one run, kept until it has ended, told in the audit."""

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest

from sync_core import organizations, runs
from sync_core.audit import trail
from sync_core.catalogue import resources
from sync_core.execution import maintenance
from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import Role
from sync_core.operations import uploads
from sync_core.operations.uploads import GivenFile
from sync_core.organizations import source_settings
from sync_core.organizations.actions import Started
from sync_core.organizations.people import Person
from sync_core.runs import Run
from sync_core.runs import uploads as kept
from sync_core.runs.filters import Filter
from sync_core.sources.files.file_types import OLE
from tests.support import bombs, watching
from tests.support.clinic import Clinic
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.processes import Crew, kill, work_horse
from tests.support.shell import ask
from tests.support.sources import refusal
from tests.support.unguarded import unguarded
from tests.support.waiting import eventually
from tests.support.workbooks import in_memory, workbook

Make = Callable[..., GivenFile]
Table = Sequence[Sequence[object]]

CLINICS = [HEADER, row("L1", "Harbour Clinic", City="Perth"), row("L2", "Mill Clinic")]


def csv_file(table: Table, name: str = "clinics.csv", entity: str | None = None) -> GivenFile:
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return GivenFile(name, io.BytesIO(text.getvalue().encode()), entity)


def xlsx_file(table: Table, name: str = "clinics.xlsx") -> GivenFile:
    return GivenFile(name, io.BytesIO(in_memory(workbook(*table))))


def table(entity: str, *rows: dict[str, str]) -> list[list[str]]:
    """Return a table of therapists or schedules, of which only some cells matter."""
    fields = resources.entity(resources.by_name("therapists"), entity).fields
    labels = [field.label for field in fields]
    return [labels, *([cells.get(label, "") for label in labels] for cells in rows)]


PEOPLE = table("therapists", {"Therapist ID": "T1", "Name": "Ana Roy"})
HOURS = table(
    "schedules", {"Therapist ID": "T1", "Weekday": "Mon", "Start": "09:00", "End": "17:00"}
)


def book(**tabs: Table) -> GivenFile:
    """Return a workbook with these tabs."""
    (first, rows), *others = tabs.items()
    made = workbook(*rows, title=first)
    for title, more in others:
        sheet = made.create_sheet(title)
        for cells in more:
            sheet.append(cells)
    return GivenFile("practice.xlsx", io.BytesIO(in_memory(made)))


def start(
    desk: Desk, *files: GivenFile, resource: str = "locations", locale: str | None = None
) -> Run:
    return uploads.start(desk.organization, resource, ANA, "test", files, locale)


def latest(desk: Desk, resource: str) -> Run | None:
    with db.everywhere() as connection:
        return runs.latest(connection, desk.organization.id).get(resource)


def chunks(database: psycopg.Connection, run: Run) -> int:
    query = "select count(*) from upload_chunks join uploads on id = upload_id where run_id = %s"
    [(count,)] = database.execute(query, [run.id]).fetchall()
    return int(count)


@pytest.mark.parametrize("make", [csv_file, xlsx_file])
def test_an_uploaded_file_is_the_source_of_one_run_only(make: Make, desk: Desk) -> None:
    run = desk.work(start(desk, make(CLINICS)))
    assert (run.status, run.message) == (
        "completed",
        "Processed 2 locations: 2 created, 0 updated.",
    )
    with db.everywhere() as connection:
        assert source_settings.read_all(connection, desk.organization) == []
    again = desk.sync("locations", locations=[*CLINICS, row("L3", "Lake Clinic")])
    assert desk.counts(again, "locations") == {"read": 3, "created": 1, "unchanged": 2}


def test_what_is_wrong_in_an_uploaded_file_is_told_by_cell(
    desk: Desk, outcomes: Callable[..., list[tuple[object, ...]]]
) -> None:
    sheet = [HEADER, row("L1", "Harbour Clinic", Phone="12"), row("L2", "=1+1")]
    run = desk.work(start(desk, xlsx_file(sheet)))
    assert run.status == "partial"
    assert outcomes(run, "row_number, issues->0->>'sentence'") == [
        (2, "Invalid phone format"),
        (3, "The formula of Name was never calculated"),
    ]


def test_notes_tell_what_people_may_not_see_of_a_workbook(desk: Desk) -> None:
    made = workbook(*CLINICS)
    made.active.row_dimensions[2].hidden = True
    run = desk.work(start(desk, GivenFile("a.xlsx", io.BytesIO(in_memory(made)))))
    assert run.notes == [
        "Locations: 1 row is hidden or filtered out, but read all the same: 2.",
    ]


# Several tables


def test_a_workbook_serves_each_table_from_its_tab(desk: Desk) -> None:
    run = desk.work(start(desk, book(Therapists=PEOPLE, Schedules=HOURS), resource="therapists"))
    assert run.message == "Therapists: 1 created, 0 updated. Schedules: 1 created, 0 updated."


def test_csv_files_are_told_apart_by_their_headers(desk: Desk) -> None:
    files = [csv_file(HOURS, "b.csv"), csv_file(PEOPLE, "a.csv")]
    run = desk.work(start(desk, *files, resource="therapists"))
    assert run.message == "Therapists: 1 created, 0 updated. Schedules: 1 created, 0 updated."
    with db.everywhere() as connection:
        given = {file.name: file.entities for file in kept.of_run(connection, run.id)}
    assert given == {"a.csv": ["therapists"], "b.csv": ["schedules"]}


def test_a_file_can_be_named_for_a_table(desk: Desk) -> None:
    more = table("therapists", {"Therapist ID": "T2", "Name": "Bo Ek"})
    files = [
        book(Therapists=PEOPLE, Schedules=HOURS),
        csv_file(PEOPLE + more[1:], "new.csv", "therapists"),
    ]
    run = desk.work(start(desk, *files, resource="therapists"))
    assert run.message == "Therapists: 2 created, 0 updated. Schedules: 1 created, 0 updated."


NO_HOURS = "No file was given for Schedules, a table of Therapists."
SHORT = [row[:-1] for row in PEOPLE]


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ([], "upload_incomplete", "No file was given for Therapists"),
        ([csv_file(PEOPLE)], "upload_incomplete", NO_HOURS),
        ([book(Therapists=PEOPLE, Lists=[["a"]])], "upload_incomplete", NO_HOURS),
        ([book(Therapists=PEOPLE, Schedules=[["a"]])], "no_label", "its row 1 begins with 'a'"),
        ([csv_file(SHORT), csv_file(HOURS)], "missing_column", "'Active' is missing"),
        ([csv_file(PEOPLE), csv_file(HOURS), csv_file(CLINICS)], "upload_unused", "'clinics.csv'"),
        ([csv_file(PEOPLE), csv_file(HOURS, entity="hours")], "unknown_entity", "hours"),
        (
            [csv_file(PEOPLE), csv_file(PEOPLE, entity="schedules")],
            "missing_column",
            "'Weekday' is missing",
        ),
        ([GivenFile("a.xls", io.BytesIO(OLE + bytes(5000)))], "not_a_workbook", "(.xls)"),
        ([GivenFile("a.csv", io.BytesIO(b""))], "empty_file", "'a.csv' is empty"),
    ],
)
def test_what_is_missing_or_wrong_is_said_before_a_run_begins(
    files: Sequence[GivenFile], code: str, words: str, desk: Desk
) -> None:
    for file in files:
        file.content.seek(0)
    error = refusal(lambda: start(desk, *files, resource="therapists"))
    assert (error.code, words in error.sentence) == (code, True), error.sentence
    assert latest(desk, "therapists") is None


# What is kept


def test_a_file_is_kept_until_the_run_has_ended_and_its_name_for_good(
    desk: Desk, database: psycopg.Connection
) -> None:
    file = csv_file(CLINICS)
    content = file.content.read()
    file.content.seek(0)
    run = start(desk, file)
    maintenance.tick()
    assert chunks(database, run) == 1
    desk.work(run)
    maintenance.tick()
    assert chunks(database, run) == 0
    with db.everywhere() as connection:
        [given] = kept.of_run(connection, run.id)
    assert (given.name, given.size) == ("clinics.csv", len(content))
    assert given.sha256 == hashlib.sha256(content).hexdigest()


def test_the_audit_names_the_file_with_its_size_and_sha256(desk: Desk) -> None:
    run = start(desk, csv_file(CLINICS))
    with db.everywhere() as connection:
        entries = trail.read(connection, Filter(organizations=(desk.organization.id,)), 10)
        [given] = kept.of_run(connection, run.id)
    [action] = [entry for entry in entries if entry.entry == "action"]
    assert isinstance(action.detail, Started)
    [file] = action.detail.files or []
    assert (file.name, file.size, file.sha256) == (given.name, given.size, given.sha256)
    assert file.entities == ["locations"]


def test_the_file_of_a_run_is_its_organization_s_alone(desk: Desk) -> None:
    run = start(desk, csv_file(CLINICS))
    locations = resources.by_name("locations")
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{desk.organization.slug}-x", "Another")
        found = {
            one.id: kept.settings_of_run(connection, one, locations, run.id)
            for one in (desk.organization, other)
        }
    assert len(found[desk.organization.id]) == 1
    assert found[other.id] == []


def test_a_large_file_goes_into_postgres_in_chunks(
    desk: Desk, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "CHUNK", 100)
    run = start(desk, csv_file([HEADER, *(row(f"L{n}", f"Clinic {n}") for n in range(100))]))
    assert chunks(database, run) > 20
    assert desk.counts(desk.work(run), "locations") == {"read": 100, "created": 100}


def test_a_file_that_was_lost_or_damaged_fails_the_run(
    desk: Desk, database: psycopg.Connection
) -> None:
    run = start(desk, csv_file(CLINICS))
    database.execute(
        "update upload_chunks set content = content || 'x'::bytea from uploads"
        " where id = upload_id and run_id = %s",
        [run.id],
    )
    ended = desk.work(run)
    assert (ended.status, ended.error_code) == ("failed", "upload_lost")


def test_a_file_over_the_limit_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCDESK_UPLOAD_LIMIT", "1")
    settings.current.cache_clear()
    file = GivenFile("a.csv", io.BytesIO(bytes(2**20 + 1)))
    error = refusal(lambda: start(desk, file))
    settings.current.cache_clear()
    assert error.sentence == "The file 'a.csv' is larger than 1 MB."


def test_who_may_not_sync_may_not_upload(desk: Desk) -> None:
    viewer = Person("Vic", "vic@example.org", Role.VIEWER)
    error = refusal(
        lambda: uploads.start(desk.organization, "locations", viewer, "test", [csv_file(CLINICS)])
    )
    assert error.code == "no_permission"


def test_the_locale_is_the_given_one_or_that_of_the_source(desk: Desk) -> None:
    dated = [HEADER, row("L1", "Harbour Clinic", Opened_on="3/4/2026")]
    run = desk.work(start(desk, csv_file(dated)))
    assert desk.counts(run, "locations") == {"read": 1, "failed": 1}
    run = desk.work(start(desk, csv_file(dated), locale="en_AU"))
    assert desk.counts(run, "locations") == {"read": 1, "created": 1}
    found = source_settings.parse(
        desk.organization, resources.by_name("locations"), "folder:.", None, "en_AU"
    )
    with db.everywhere() as connection:
        source_settings.save(connection, desk.organization, found)
    run = desk.work(start(desk, csv_file(dated)))
    assert desk.counts(run, "locations") == {"read": 1, "unchanged": 1}


def test_after_a_file_everything_is_read_of_a_source_that_tells_what_changed(small: Clinic) -> None:
    unguarded(small.organization, "patients")
    small.sync()
    assert small.sync().notes != ["Read everything."]
    files = []
    for entity in resources.by_name("patients").entities:
        labels = [field.label for field in entity.fields]
        rows = [labels, ["1", *[""] * (len(labels) - 1)]]
        files.append(csv_file(rows, f"{entity.name}.csv"))
    run = small.work(uploads.start(small.organization, "patients", ANA, "test", files))
    assert run.status in {"completed", "partial"}, run.message
    assert small.sync().notes == ["Read everything."]


# From the shell, and with a worker that dies


def test_a_file_is_given_in_the_shell(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "clinics.xlsx"
    path.write_bytes(in_memory(workbook(*CLINICS)))
    org = ("--org", desk.organization.slug)
    answer = ask("sync", "locations", "--file", str(path), *org)
    assert answer.exit_code == 0, answer.output
    run = latest(desk, "locations")
    assert run is not None
    assert desk.counts(desk.work(run), "locations") == {"read": 2, "created": 2}
    other = ask("sync", "locations", "--entity", f"clinics={path}", *org)
    assert (other.exit_code, "locations has no entity clinics" in other.output) == (5, True), (
        other.output
    )
    assert ask("sync", "locations", "--entity", str(path), *org).exit_code == 2
    assert ask("sync", "locations", "--locale", "de_DE", *org).exit_code == 2


def test_a_run_goes_on_with_its_file_after_its_worker_died(desk: Desk, crew: Crew) -> None:
    worker = crew(SLOW_PAGE="0.5")
    run = start(desk, xlsx_file(CLINICS))
    kill(eventually(lambda: watching.read(run).status == "running" and work_horse(worker)))
    run = watching.ended(run)
    assert watching.attempts(run) == ["its work-horse died (SIGKILL)", "completed"]
    assert desk.counts(run, "locations") == {"read": 2, "created": 2}


def test_a_file_that_takes_too_much_memory_is_refused_and_starts_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bombs.workbook_of_texts(tmp_path / "clinics.xlsx")
    monkeypatch.setenv("SYNCDESK_MEMORY_LIMIT", "700")
    settings.current.cache_clear()
    with (tmp_path / "clinics.xlsx").open("rb") as content, bombs.at_most(50):
        given = [GivenFile("clinics.xlsx", content)]
        error = refusal(lambda: uploads.start(desk.organization, "locations", ANA, "test", given))
    monkeypatch.undo()
    settings.current.cache_clear()
    assert error.code == "too_much_memory"
    with db.within(desk.organization.id) as connection:
        assert runs.count(connection, Filter(organizations=(desk.organization.id,))) == 0
