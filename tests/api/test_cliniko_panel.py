"""What the admin panel of Cliniko is promised, by its own types and example answers."""

from typing import Any

import pytest

from sync_core import organizations, runs
from sync_core.api.front_ends import words
from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation import db, redis_clients
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import people
from sync_core.records.privacy import MASK
from sync_core.runs import Run, attempts, lease
from sync_core.runs.progress import Reporter
from tests.support.api_server import Program, Server
from tests.support.clinic import Clinic
from tests.support.desk import ANA
from tests.support.example_answers import assert_like

LOG = {
    "status": "running",
    "operation_type": "full_patients",
    "records_processed": 648,
    "records_success": 450,
    "started_at": "2024-01-15T10:30:00Z",
    "completed_at": None,
    "metadata": {"sync_type": "full_patients", "errors": list[str]()},
}
PROGRESS = {
    "status": "completed",
    "type": "full_patients",
    "recordsProcessed": 648,
    "recordsSuccess": 648,
    "successRate": 100.0,
    "startedAt": "2024-01-15T10:30:00Z",
    "completedAt": "2024-01-15T10:35:00Z",
    "metadata": {
        "patients_found": 648,
        "patients_stored": 648,
        "sync_type": "full_patients",
        "errors": list[str](),
    },
}
STEPS = CATALOGUE["patients"].steps


@pytest.fixture
def program(server: Server, clinic: Clinic) -> Program:
    return Program(server, clinic.organization, Role.ANALYST)


def get(program: Program, clinic: Clinic, path: str, **query: object) -> dict[str, Any]:
    told: dict[str, Any] = program.get(f"/cliniko/{path}/{clinic.organization.slug}", **query)
    return told


def start(program: Program, clinic: Clinic, path: str = "sync-all") -> dict[str, Any]:
    answer = program("POST", f"/cliniko/{path}/{clinic.organization.slug}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def latest_log(program: Program, clinic: Clinic) -> dict[str, Any]:
    (log,) = get(program, clinic, "sync-logs", limit=1)["logs"]
    assert_like(log, LOG)
    told: dict[str, Any] = log
    return told


def latest(clinic: Clinic) -> Run:
    with db.everywhere() as connection:
        return runs.latest(connection, clinic.organization.id)["patients"]


# Start


@pytest.mark.parametrize("path", ["sync-all", "sync"])
def test_sync_all_and_the_old_address_start_the_sync_of_all_patients(
    program: Program, clinic: Clinic, path: str
) -> None:
    told = start(program, clinic, path)
    assert_like(told, {"success": True, "message": "Sync started"})
    assert (told["success"], told["message"]) == (True, "Sync started")
    clinic.work(latest(clinic))
    assert get(program, clinic, "status")["total_patients"] == 30
    assert program.get(f"/sync/status/{told['sync_id']}")["status"] == "completed"


def test_the_old_address_is_marked_as_deprecated(server: Server, program: Program) -> None:
    told = program.get("/../openapi.json")["paths"]
    assert server
    assert told["/v1/cliniko/sync/{organization_id}"]["post"]["deprecated"] is True
    assert "deprecated" not in told["/v1/cliniko/sync-all/{organization_id}"]["post"]


def test_who_starts_a_second_time_joins_the_sync_on_its_way(
    program: Program, clinic: Clinic
) -> None:
    first, second = start(program, clinic), start(program, clinic, "sync")
    assert second == {**first, "message": "Sync already in progress"}


# Logs


def test_the_first_poll_after_a_start_never_reads_the_previous_result(
    program: Program, clinic: Clinic
) -> None:
    assert get(program, clinic, "sync-logs", limit=1) == {"logs": []}
    clinic.sync()
    assert latest_log(program, clinic)["status"] == "completed"
    start(program, clinic)
    assert latest_log(program, clinic)["status"] == "running"


def test_a_confirmed_older_run_wins_over_a_newer_result(program: Program, clinic: Clinic) -> None:
    planned = clinic.work(syncs.preview(clinic.organization, "patients", ANA, "test"))
    assert latest_log(program, clinic)["metadata"]["errors"] == [words.WAITS]
    newer = syncs.start(clinic.organization, "patients", ANA, "test")
    syncs.cancel(clinic.organization, newer.id, ANA)
    syncs.confirm(clinic.organization, planned.id, ANA, "test")
    logs = get(program, clinic, "sync-logs")["logs"]
    assert [(log["id"], log["status"]) for log in logs] == [
        (planned.id, "running"),
        (newer.id, "failed"),
    ]


def test_sync_logs_follow_the_milestones_and_name_only_what_is_known(
    program: Program, clinic: Clinic
) -> None:
    start(program, clinic)
    waiting = latest_log(program, clinic)
    assert waiting["metadata"]["progress_percentage"] == 0
    assert not {"patients_found", "patients_stored", "milestone"} & set(waiting["metadata"])
    with db.everywhere() as connection:
        held = lease.claim(connection, latest(clinic).id, db.name())
    assert held
    reporter = Reporter(redis_clients.client(), held.run_id, held.attempt)
    seen = list[tuple[str, int]]()
    for band in STEPS.bands:
        counts = {band.statistic: 20} if band.statistic else {}
        reporter.tell(band, f"At {band.name}", fraction=1, counts=counts, now=True)
        told = latest_log(program, clinic)
        metadata = told["metadata"]
        assert (told["status"], metadata["current_step"]) == ("running", f"At {band.name}")
        assert ("patients_found" in metadata) == (band.start >= 37)
        assert ("patients_stored" in metadata) == (band.name == "storing")
        seen.append((metadata["milestone"], metadata["progress_percentage"]))
    assert dict(seen) == {
        "connection": 5,
        "api_fetch": 30,
        "processing": 50,
        "database_storage": 100,
    }
    assert (told["records_processed"], told["records_success"]) == (20, 20)


def test_a_log_of_a_completed_sync_tells_its_records_and_success_rate(
    program: Program, clinic: Clinic
) -> None:
    start(program, clinic)
    clinic.work(latest(clinic))
    told = latest_log(program, clinic)
    assert_like(told, {**LOG, "completed_at": "2024-01-15T10:35:00Z"})
    assert (told["records_processed"], told["records_success"]) == (30, 30)
    assert (told["records_failed"], told["success_rate"]) == (0, 100.0)
    assert told["requested_by"] == "Program analyst, token of Ana Ruiz"
    metadata = told["metadata"]
    assert (metadata["patients_found"], metadata["patients_stored"]) == (30, 30)
    assert (metadata["appointments_found"], metadata["errors"]) == (20, [])
    assert metadata["progress_percentage"] == 100


def test_a_sync_of_what_has_changed_counts_all_patients_that_are_in_step_since(
    program: Program, clinic: Clinic
) -> None:
    clinic.sync()
    clinic.account.change("patients", clinic.account.known("patients")[0].id, city="Perth")
    clinic.sync()
    told = latest_log(program, clinic)
    assert told["metadata"]["notes"][0].startswith("Read what changed since ")
    assert (told["records_processed"], told["records_success"]) == (30, 30)
    assert (told["metadata"]["patients_stored"], told["success_rate"]) == (30, 100.0)
    dashboard = program.get(f"/sync/dashboard/{clinic.organization.slug}")
    assert dashboard["last_sync"]["records_success"] == 30


def test_a_log_of_a_failed_sync_lists_what_went_wrong(program: Program, clinic: Clinic) -> None:
    clinic.server.add(f"{clinic.organization.slug}-au1", clinic.account, forbidden={"patients"})
    start(program, clinic)
    ended = clinic.work(latest(clinic))
    told = latest_log(program, clinic)
    assert (told["status"], told["records_processed"], told["success_rate"]) == ("failed", 0, 0.0)
    assert told["metadata"]["errors"] == [f"{ended.message} {ended.advice}"]


def test_logs_are_as_many_as_asked_for(program: Program, clinic: Clinic) -> None:
    organization, ended = clinic.organization, list[int]()
    for _ in range(3):
        ended.append(syncs.start(organization, "patients", ANA, "test").id)
        syncs.cancel(organization, ended[-1], ANA)
    assert [log["id"] for log in get(program, clinic, "sync-logs")["logs"]] == ended[::-1]
    two = get(program, clinic, "sync-logs", limit=2)["logs"]
    assert [log["id"] for log in two] == ended[:0:-1]
    for bad in ("0", "101", "x"):
        refused = program("GET", f"/cliniko/sync-logs/{clinic.organization.slug}?limit={bad}")
        assert refused.json()["code"] == "bad_request"


def test_the_log_of_a_run_tells_each_step_and_how_many_are_stored(clinic: Clinic) -> None:
    run = clinic.sync()
    with db.everywhere() as connection:
        told = [x.text for x in attempts.joined_log(attempts.of_run(connection, run.id))]
    steps = [
        "Syncing in progress...",
        "Checking the configuration",
        "Checking the credentials",
        "Fetching patients...",
        "Found 30 patients",
        "Fetching appointments...",
        "Loading appointment types...",
        "Analyzing data...",
        "Processing 30 patients from Cliniko",
        "Sync completed. 30 patients created, 0 patients updated",
    ]
    assert [text for text in told if text in steps] == steps


# Connection, counts, patients


def test_test_connection_tells_whether_cliniko_answers_and_counts_patients(
    program: Program, clinic: Clinic
) -> None:
    told = get(program, clinic, "test-connection")
    assert (told["success"], told["status"], told["patient_count"]) == (True, "connected", 30)
    assert told["message"].startswith("Cliniko answers: 30 patients.")
    assert told["error"] is None
    clinic.server.add(f"{clinic.organization.slug}-au1", clinic.account, forbidden={"patients"})
    failed = get(program, clinic, "test-connection")
    assert (failed["success"], failed["status"], failed["patient_count"]) == (False, "failed", None)
    assert failed["error"] == "cliniko_lacks_a_role"
    assert "may not read patients" in failed["message"]
    assert failed["advice"]


def test_status_has_the_final_counts_and_the_last_sync_as_the_panel_keeps_it(
    program: Program, clinic: Clinic
) -> None:
    assert get(program, clinic, "status")["last_sync"] is None
    ended = clinic.sync()
    told = get(program, clinic, "status")
    assert (told["total_patients"], told["organization_id"]) == (30, clinic.organization.slug)
    assert told["active_patients"] <= told["patients_with_upcoming"] + told["patients_with_recent"]
    assert_like(told["last_sync"], PROGRESS)
    assert (told["last_sync"]["recordsSuccess"], told["last_sync"]["successRate"]) == (30, 100.0)
    assert ended.finished_at
    assert told["last_sync"]["completedAt"] == told["last_sync_time"]


def test_active_patients_lists_all_that_were_synced_and_who_is_active(
    program: Program, clinic: Clinic
) -> None:
    clinic.sync()
    told = get(program, clinic, "active-patients", limit=500)
    assert told["total"] == len(told["patients"]) == 30
    active = [one for one in told["patients"] if one["active"]]
    assert len(active) == get(program, clinic, "status")["active_patients"] > 0
    pages = [get(program, clinic, "active-patients", limit=7, offset=n) for n in range(0, 30, 7)]
    assert [one for page in pages for one in page["patients"]] == told["patients"]
    name = told["patients"][0]["name"]
    found = get(program, clinic, "active-patients", search=name)["patients"]
    assert name in {one["name"] for one in found}
    for bad in ("limit=0", "limit=501", "offset=-1"):
        refused = program("GET", f"/cliniko/active-patients/{clinic.organization.slug}?{bad}")
        assert refused.json()["code"] == "bad_request", bad


@pytest.mark.parametrize("role", Role)
def test_who_may_not_see_personal_data_reads_none_in_the_list_of_patients(
    server: Server, clinic: Clinic, role: Role
) -> None:
    clinic.sync()
    told = get(Program(server, clinic.organization, role), clinic, "active-patients", limit=500)
    hidden = role in {Role.VIEWER, Role.MANAGER}
    assert {one["name"] == MASK for one in told["patients"]} == {hidden}
    assert {one["active"] for one in told["patients"]} == ({None} if hidden else {True, False})


def test_another_organization_has_patients_of_its_own_only(
    server: Server, program: Program, clinic: Clinic
) -> None:
    clinic.sync()
    assert get(program, clinic, "active-patients")["total"] == 30
    slug = f"{clinic.organization.slug}-2"
    with db.everywhere() as connection:
        other = organizations.add(connection, slug, "Harbor Clinics")
        people.add(connection, other.id, ANA)
    stranger = Program(server, other)
    assert stranger.get(f"/cliniko/active-patients/{slug}")["patients"] == []
    assert stranger.get(f"/cliniko/status/{slug}")["total_patients"] == 0
    assert stranger.get(f"/cliniko/sync-logs/{slug}") == {"logs": []}
