"""Patients and appointments from a made-up Cliniko, through the real client and the engine."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from sync_core import runs
from sync_core.analytics import patients
from sync_core.analytics.patients import Figures
from sync_core.catalogue.resources import ENTITIES
from sync_core.demo.cliniko import Account
from sync_core.engine import importer
from sync_core.engine.read_ahead import Reading
from sync_core.engine.work import Work
from sync_core.foundation import db, redis_clients, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal
from sync_core.operations import syncs
from sync_core.organizations import Organization, policies
from sync_core.organizations.policies import Policy
from sync_core.records import rows
from sync_core.records.rows import View
from sync_core.runs import Run, incremental, lease, traffic
from sync_core.runs.progress import Reporter
from sync_core.sources.cliniko.lists import ClinikoSource
from tests.support import watching
from tests.support.clinic import PATIENTS, Clinic, now, open_clinic, source_setting
from tests.support.desk import ANA
from tests.support.fakes import cliniko
from tests.support.fakes.cliniko import Cliniko
from tests.support.sources import FAST_RETRIES

NOTHING_NEW = (
    "Appointment types: 0 created, 0 updated. Patients: 0 created, 0 updated."
    " Appointments: 0 created, 0 updated."
)


def figures(clinic: Clinic) -> Figures:
    with db.everywhere() as connection:
        return patients.figures(connection, clinic.organization.id)


def number(clinic: Clinic, place: int) -> int:
    return clinic.account.known("patients")[place].id


Ask = psycopg.Connection


def ask(clinic: Clinic, database: Ask, query: str) -> list[tuple[object, ...]]:
    return database.execute(query, {"org": clinic.organization.id}).fetchall()


def stored(clinic: Clinic, database: Ask) -> int:
    ((count,),) = ask(
        clinic,
        database,
        "select count(*) from patients where organization_id = %(org)s and _removed_at is null",
    )
    assert isinstance(count, int)
    return count


def log(run: Run, database: Ask) -> list[str]:
    rows = database.execute("select log from attempts where run_id = %s order by attempt", [run.id])
    return [line["text"] for (lines,) in rows for line in lines]


def grow_old(clinic: Clinic, database: Ask, hours: int) -> None:
    """Let all earlier runs have read their source so many hours earlier."""
    began = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    database.execute(
        "update checkpoints set sheet = jsonb_set(sheet, '{window,began}', to_jsonb(%s::text))"
        " from runs where runs.id = run_id and organization_id = %s",
        [began, clinic.organization.id],
    )


def test_648_patients_with_1247_appointments_come_in_whole(clinic: Clinic, database: Ask) -> None:
    run = clinic.sync()
    assert run.message == (
        "Appointment types: 12 created, 0 updated. Patients: 648 created, 0 updated."
        " Appointments: 1,201 created, 0 updated."
    )
    assert (run.status, run.notes) == ("completed", ["Read everything."])
    assert stored(clinic, database) == 648
    found = figures(clinic)
    assert (found.total, found.active) == (648, 89)
    assert (found.recent, found.upcoming, found.both) == (72, 31, 14)
    assert len(clinic.server.requests) == 24  # three counts, and pages of a hundred


def test_the_log_tells_what_was_found_and_stored(clinic: Clinic, database: Ask) -> None:
    lines = log(clinic.sync(), database)
    for told in (
        "Found 648 patients",
        "Found 1,247 appointments",
        "Analyzing active patients... 89 active identified",
        "Appointments: 46 that were cancelled, archived or deleted are left out",
        "The source holds 648 patients, and all of them are stored.",
        "Sync completed. 648 patients created, 0 patients updated",
    ):
        assert told in lines


def test_a_second_run_reads_what_changed_and_changes_nothing(clinic: Clinic, database: Ask) -> None:
    clinic.sync()
    run = clinic.sync()
    assert run.message == NOTHING_NEW
    assert run.status == "completed"
    (note,) = run.notes
    assert note.startswith("Read what changed since ")
    assert clinic.counts(run, "patients") == {}
    assert stored(clinic, database) == 648


def test_what_changed_is_brought_along(small: Clinic, database: Ask) -> None:
    small.sync()
    small.account.change("patients", number(small, 3), at=now(), last_name="Okafor")
    created = small.account.add("patients", first_name="Nia", last_name="Sato")
    run = small.sync()
    assert small.counts(run, "patients") == {"read": 2, "created": 1, "updated": 1}
    assert run.status == "completed"
    names = ask(
        small,
        database,
        "select last_name from patients where organization_id = %(org)s"
        f" and cliniko_patient_id in ('{number(small, 3)}', '{created}') order by 1",
    )
    assert names == [("Okafor",), ("Sato",)]


def test_the_overlap_finds_what_was_noted_late_and_counts_it_as_unchanged(small: Clinic) -> None:
    small.account.change("patients", number(small, 3), at=now() - 60)
    small.sync()
    run = small.sync()
    assert small.counts(run, "patients") == {"read": 1, "unchanged": 1}


def test_who_was_archived_without_a_word_is_seen_by_the_next_sync(
    small: Clinic, database: Ask
) -> None:
    small.sync()
    small.account.archive("patients", number(small, 7))
    run = small.sync()
    assert small.counts(run, "patients") == {"read": 1, "updated": 1}
    assert small.counts(small.sync(), "patients") == {"read": 1, "unchanged": 1}
    assert stored(small, database) == 120


def test_a_sweep_finds_who_was_archived_at_a_moment_that_has_passed(
    small: Clinic, database: Ask
) -> None:
    small.sync()
    small.account.change("patients", number(small, 7), archived_at=now() - 90_000)
    assert small.counts(small.sync(), "patients") == {}
    grow_old(small, database, 25)
    run = small.sync()
    assert "Read everything." in run.notes
    assert small.counts(run, "patients") == {"read": 120, "updated": 1, "unchanged": 119}
    assert stored(small, database) == 120


def test_who_was_deleted_is_gone_with_the_next_sync(
    small: Clinic, server: Cliniko, database: Ask
) -> None:
    visit = next(v for v in small.account.known("individual_appointments") if not v.cancelled_at)
    small.sync()
    small.account.delete("individual_appointments", visit.id, now())
    small.account.delete("patients", number(small, 7), now())
    before = len(server.requests)
    run = small.sync()
    assert run.status == "completed"
    assert run.notes[0].startswith("Read what changed since ")
    assert small.counts(run, "appointments") == {"removed": 1}
    assert small.counts(run, "patients") == {"removed": 1}
    assert len(server.requests) - before == 12  # 7 without the lists apart, and 5 for these
    assert stored(small, database) == 119
    run = small.sync()
    assert (small.counts(run, "patients"), small.counts(run, "appointments")) == ({}, {})
    assert run.notes[1:] == []


def test_who_is_deleted_and_listed_all_the_same_is_kept_as_deleted(
    small: Clinic, database: Ask
) -> None:
    small.sync()
    small.account.change("patients", number(small, 7), deleted_at=now(), archived_at=1)
    assert small.counts(small.sync(), "patients") == {"read": 1, "updated": 1}
    deleted = "select deleted_at::date = current_date from patients where organization_id = %(org)s"
    assert ask(small, database, f"{deleted} and deleted_at is not null").count((True,)) == 1
    assert stored(small, database) == 120


def test_where_nothing_is_ever_removed_who_was_deleted_stays(small: Clinic, database: Ask) -> None:
    with db.everywhere() as connection:
        policies.put(connection, small.organization, "patients", Policy(removal=Removal.KEEP))
    small.sync()
    small.account.delete("patients", number(small, 7), now())
    run = small.sync()
    assert (run.status, small.counts(run, "patients")) == ("completed", {})
    assert stored(small, database) == 120


@pytest.mark.parametrize("status", [400, 403, 404])
def test_where_the_deleted_are_not_listed_a_sync_goes_on_without_them(
    small: Clinic, server: Cliniko, database: Ask, status: int
) -> None:
    small.sync()
    small.account.delete("patients", number(small, 7), now())
    server.fault("patients/deleted", cliniko.status(status))
    run = small.sync()
    assert (run.status, stored(small, database)) == ("completed", 120)
    [told] = [note for note in run.notes if "who was deleted was not listed" in note]
    assert told.startswith("Patients: ")


def test_a_list_of_the_deleted_that_cannot_be_read_fails_the_sync(
    small: Clinic, server: Cliniko
) -> None:
    small.sync()
    server.fault("patients/deleted", cliniko.redirect("https://x.example.org/"))
    assert small.sync().error_code == "cliniko_elsewhere"


@pytest.mark.parametrize("minutes", [-20, 20, -120, 120, -1500, 1500])
def test_clocks_that_differ_lose_nothing(small: Clinic, server: Cliniko, minutes: int) -> None:
    def there() -> int:
        return now() + minutes * 60

    server.clock = there
    small.sync()
    small.account.change("patients", number(small, 3), at=there(), last_name="Okafor")
    assert small.counts(small.sync(), "patients")["updated"] == 1
    plan = small.work(syncs.preview(small.organization, "patients", ANA, "test"))
    small.account.change("patients", number(small, 2), at=there() + 1, last_name="Sato")
    ended = small.work(syncs.confirm(small.organization, plan.id, ANA, "test"))
    assert ended.error_code == "plan_outdated"


@pytest.mark.parametrize("hours", [2, 26])
def test_where_a_clock_was_set_back_everything_is_read(
    small: Clinic, database: Ask, hours: int
) -> None:
    small.sync()
    grow_old(small, database, -hours)
    small.account.change("patients", number(small, 3), at=now(), last_name="Okafor")
    run = small.sync()
    assert run.notes == ["Read everything."]
    assert small.counts(run, "patients") == {"read": 120, "updated": 1, "unchanged": 119}


def test_a_sweep_marks_who_has_vanished(small: Clinic, database: Ask) -> None:
    small.sync()
    small.account.remove("patients", number(small, 7))
    run = small.sync()
    assert run.status == "completed"
    assert any("holds 119 patients and 120 are stored" in note for note in run.notes)
    grow_old(small, database, 25)
    run = small.sync()
    assert small.counts(run, "patients") == {"read": 119, "unchanged": 119, "removed": 1}
    assert run.notes == ["Read everything."]
    assert stored(small, database) == 119


def test_a_cancelled_appointment_is_withdrawn_by_either_kind_of_run(
    small: Clinic, database: Ask
) -> None:
    small.sync()
    before = figures(small)
    live = [v for v in small.account.known("individual_appointments") if not v.cancelled_at]
    coming = [v for v in live if v.starts_at and v.starts_at > now() and not v.archived_at]
    first, second = coming[:2]
    small.account.change("individual_appointments", first.id, at=now(), cancelled_at=now())
    run = small.sync()
    assert small.counts(run, "appointments") == {"removed": 1}
    small.account.change("individual_appointments", second.id, cancelled_at=now())
    grow_old(small, database, 25)
    run = small.sync()
    assert small.counts(run, "appointments")["removed"] == 1
    assert figures(small).upcoming < before.upcoming


def test_the_analysis_foresees_who_will_be_active(small: Clinic, database: Ask) -> None:
    account = small.account
    small.sync()
    coming = [
        visit
        for visit in account.known("individual_appointments")
        if visit.starts_at and visit.starts_at > now() and not visit.cancelled_at
    ]
    account.change("individual_appointments", coming[0].id, at=now(), cancelled_at=now())
    account.change("patients", coming[1].patient_id or 0, at=now(), archived_at=now())
    account.add("individual_appointments", starts_at=now() + 9_000, patient_id=number(small, 1))
    for hours in (0, 25):
        grow_old(small, database, hours)
        told = [line for line in log(small.sync(), database) if "active identified" in line]
        active = figures(small).active
        assert told == [f"Analyzing active patients... {active} active identified"]


@pytest.mark.parametrize("of", [rows.count, rows.read])
def test_a_group_is_found_at_once_also_while_postgres_takes_the_tables_for_small(
    small: Clinic, database: Ask, of: Callable[..., object]
) -> None:
    small.sync()
    database.execute("delete from pg_statistic where starelid = 'appointments'::regclass")
    within = patients.ANALYSIS.groups["active"].keys(small.organization.id)
    plans: list[str] = []

    def explain(connection: sa.Connection, clause: sa.ClauseElement, *_: object) -> None:
        if isinstance(clause, sa.Select):
            text = clause.compile(connection, compile_kwargs={"literal_binds": True})
            plans.extend(connection.exec_driver_sql(f"explain {text}").scalars())

    with db.within(small.organization.id) as connection:
        sa.event.listen(connection, "before_execute", explain)
        of(connection, small.organization.id, ENTITIES["patients"], View(within=within), ANA)
    database.execute("analyze appointments")
    assert plans
    assert not [line for line in plans if "Nested Loop" in line]


def test_an_appointment_that_is_no_longer_cancelled_comes_back(small: Clinic) -> None:
    visit = next(v for v in small.account.known("individual_appointments") if not v.cancelled_at)
    small.sync()
    small.account.change("individual_appointments", visit.id, at=now(), cancelled_at=now())
    small.sync()
    small.account.change("individual_appointments", visit.id, at=now(), cancelled_at=None)
    assert small.counts(small.sync(), "appointments") == {"read": 1, "updated": 1}


def test_where_nothing_is_ever_removed_a_cancelled_appointment_is_marked(
    small: Clinic, database: Ask
) -> None:
    with db.everywhere() as connection:
        policies.put(connection, small.organization, "patients", Policy(removal=Removal.KEEP))
    visit = next(v for v in small.account.known("individual_appointments") if not v.cancelled_at)
    small.sync()
    small.account.change("individual_appointments", visit.id, at=now(), cancelled_at=now())
    assert small.counts(small.sync(), "appointments") == {"read": 1, "updated": 1}
    marked = ask(
        small,
        database,
        "select cancelled_at is not null from appointments where organization_id = %(org)s"
        f" and cliniko_appointment_id = '{visit.id}'",
    )
    assert marked == [(True,)]


def test_another_policy_lets_everything_be_read_again(small: Clinic) -> None:
    small.sync()
    with db.everywhere() as connection:
        policies.put(connection, small.organization, "patients", Policy(removal=Removal.DELETE))
    assert small.sync().notes == ["Read everything."]


def test_a_patient_who_is_archived_between_two_pages_is_read_all_the_same(
    small: Clinic, server: Cliniko, database: Ask
) -> None:
    server.before("patients", 3, lambda: small.account.archive("patients", number(small, 5)))
    run = small.sync()
    assert run.notes == ["Read everything."]
    assert stored(small, database) == 120


def test_an_appointment_of_nobody_or_of_a_stranger_is_kept(small: Clinic) -> None:
    small.account.add("individual_appointments", starts_at=now(), ends_at=now() + 1800)
    small.account.add("individual_appointments", starts_at=now(), patient_id=4711)
    run = small.sync()
    assert run.status == "completed"
    assert "failed" not in small.counts(run, "appointments")


def test_odd_contacts_fail_nobody(small: Clinic, database: Ask) -> None:
    small.account.change(
        "patients",
        number(small, 0),
        email="call reception",
        city="#N/A",
        first_name="'Ofa",
        last_name="\0\ud800",
        patient_phone_numbers=[{"phone_type": "Mobile", "number": "ask mum"}, {}],
    )
    assert small.sync().status == "completed"
    found = ask(
        small,
        database,
        "select email, city, first_name, last_name, phones from patients"
        f" where organization_id = %(org)s and cliniko_patient_id = '{number(small, 0)}'",
    )
    assert found == [("call reception", "#N/A", "'Ofa", "\ufffd\ufffd", "Mobile: ask mum")]


def test_a_patient_whose_birth_date_cannot_be_read_is_kept_without_it(
    small: Clinic, database: Ask
) -> None:
    small.account.change("patients", number(small, 9), date_of_birth="1998-02-31")
    run = small.sync()
    told = (
        "Patients: 1 record is kept without Date of birth, which cannot be read as Cliniko gives"
        f" it: {number(small, 9)}."
    )
    assert (run.status, run.notes) == ("completed", ["Read everything.", told])
    assert stored(small, database) == 120


def test_a_patient_who_cannot_be_stored_is_named_and_missed(small: Clinic, database: Ask) -> None:
    small.account.change("patients", number(small, 9), date_of_birth="0198-05-01")
    run = small.sync()
    assert run.status == "partial"
    assert any("holds 120 patients and 119 are stored: 1 missing" in n for n in run.notes)
    assert f"1 failed: {number(small, 9)} (Date of birth" in run.log_message
    assert "0198" not in run.log_message
    assert stored(small, database) == 119


def test_a_record_without_an_id_fails_alone_and_nothing_is_taken_for_gone(
    small: Clinic, server: Cliniko, database: Ask
) -> None:
    small.sync()
    grow_old(small, database, 25)
    server.fault("patients", cliniko.altered(without_a_record), after=1)
    run = small.sync()
    assert run.status == "partial"
    assert small.counts(run, "patients") == {"read": 120, "failed": 1, "unchanged": 119}
    assert "Cliniko names no id of one of the patients" in run.log_message
    assert stored(small, database) == 120


def without_a_record(content: cliniko.Json) -> None:
    content["patients"][3] = None


def test_an_appointment_with_an_odd_link_fails_alone_and_is_named(
    small: Clinic, database: Ask
) -> None:
    visit = next(v for v in small.account.known("individual_appointments") if not v.cancelled_at)
    small.account.change("individual_appointments", visit.id, patient=["odd"])
    run = small.sync()
    assert run.status == "partial"
    assert f"1 failed: {visit.id} (Cliniko patient ID is not as Cliniko" in run.log_message
    assert stored(small, database) == 120


def test_a_patient_who_came_while_we_read_is_not_missing(
    small: Clinic, server: Cliniko, database: Ask
) -> None:
    def comes() -> None:
        small.account.add("patients", first_name="New")

    server.before("patients", 3, comes)  # the second page, which has her
    server.before("individual_appointments", 2, comes)  # when all patients were read
    run = small.sync()
    assert (run.status, run.notes) == ("completed", ["Read everything."])
    assert server.asked("patients") == 3
    assert stored(small, database) == 121
    server.before("patients", 6, comes)  # the page of those who were changed
    run = small.sync()
    assert run.status == "completed"
    assert not any("missing" in note for note in run.notes)
    assert stored(small, database) == 123


def shortened(content: cliniko.Json) -> None:
    for records in content.values():
        if isinstance(records, list):
            del records[30:]
            content["total_entries"] = len(records)


def test_a_list_that_becomes_shorter_is_read_once_more_and_removes_nobody(
    small: Clinic, server: Cliniko, database: Ask
) -> None:
    list_ = "individual_appointments"
    small.sync()
    grow_old(small, database, 25)
    once = [lambda answer: answer, *[cliniko.altered(shortened)] * 2]  # the count, a page twice
    server.fault(list_, *once)
    run = small.sync()
    assert (run.status, run.notes) == ("completed", ["Read everything."])
    assert any("became shorter while it was read" in line for line in log(run, database))
    grow_old(small, database, 25)
    server.fault(list_, *once, *once)
    run = small.sync()
    assert (run.status, run.error_code) == ("failed", "cliniko_shrank")
    assert stored(small, database) == 120


def test_who_is_deleted_while_we_read_lets_the_list_be_read_once_more(
    small: Clinic, server: Cliniko, database: Ask
) -> None:
    server.before("patients", 3, lambda: small.account.remove("patients", number(small, 119)))
    run = small.sync()
    assert (run.status, stored(small, database)) == ("completed", 119)
    assert any("became shorter while it was read" in line for line in log(run, database))


@pytest.mark.parametrize("list_", ["patients", "individual_appointments", "appointment_types"])
def test_a_list_that_cannot_be_read_leaves_all_tables_as_they_were(
    small: Clinic, server: Cliniko, database: Ask, list_: str
) -> None:
    small.sync()
    small.account.change("patients", number(small, 3), at=now(), last_name="Zzyzx")
    server.fault(list_, cliniko.status(400, {"message": "No."}), after=1)
    run = small.sync()
    assert (run.status, run.error_code) == ("failed", "cliniko_refused")
    renamed = "select from patients where organization_id = %(org)s and last_name = 'Zzyzx'"
    assert ask(small, database, renamed) == []
    assert small.counts(small.sync(), "patients") == {"read": 1, "updated": 1}  # not forgotten
    assert ask(small, database, renamed) == [()]


def test_a_page_that_answers_500_once_is_asked_for_again(
    small: Clinic, server: Cliniko, database: Ask
) -> None:
    server.fault("patients", cliniko.status(500), after=2)
    run = small.sync()
    assert run.status == "completed"
    assert stored(small, database) == 120
    with db.everywhere() as connection:
        assert traffic.of_run(connection, run.id).waited > 0.1  # seconds, for another try


@pytest.mark.parametrize("list_", ["patients", "patients/deleted", "appointment_types"])
def test_a_request_that_hangs_costs_one_try_and_not_the_run(
    small: Clinic, server: Cliniko, monkeypatch: pytest.MonkeyPatch, list_: str
) -> None:
    small.sync()
    monkeypatch.setenv("SYNCDESK_FETCH_TIMEOUT", "4")
    settings.current.cache_clear()
    server.fault(list_, cliniko.hang)
    run = small.sync()
    assert (run.status, run.message) == ("completed", NOTHING_NEW)


def test_a_page_that_goes_on_answering_500_leaves_nothing_half_applied(
    small: Clinic, server: Cliniko, database: Ask
) -> None:
    server.fault("individual_appointments", cliniko.status(500), times=9, after=1)
    run = syncs.start(small.organization, "patients", ANA, "test")
    with db.everywhere() as connection:
        claim = lease.claim(connection, run.id, "a worker")
    assert claim
    reporter = Reporter(redis_clients.client(), claim.run_id, claim.attempt)
    found = {
        entity.name: ClinikoSource(
            setting=source_setting(small.organization, entity.name),
            settings=settings.current(),
            retry_policy=FAST_RETRIES,
        )
        for entity in PATIENTS.entities
    }
    with Reading(lambda: None, 30) as reading:
        work = Work(claim, PATIENTS, ENTITIES, "AU", reporter, reading, lambda: None)
        with pytest.raises(SyncError) as caught:
            importer.sync(work, found)
    with db.everywhere() as connection:
        lease.finish(connection, claim, lease.cancelled())
    assert caught.value.code == "cliniko_outage"
    assert stored(small, database) == 0
    assert watching.staged(run) >= 120  # the patients had been read


def test_a_wrong_key_is_told_before_anything_is_read(
    organization: Organization, server: Cliniko, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = open_clinic(organization, server, Account(20, 20), monkeypatch)
    server.users.clear()
    run = clinic.sync()
    assert (run.status, run.error_code) == ("failed", "cliniko_refused_key")


def test_a_key_that_may_not_read_patients_is_told(
    organization: Organization, server: Cliniko, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = open_clinic(
        organization, server, Account(20, 20), monkeypatch, frozenset({"patients"})
    )
    run = clinic.sync()
    assert (run.status, run.error_code) == ("failed", "cliniko_may_not_read")


def test_a_run_without_a_key_says_which_variable_to_set(
    small: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(settings.cliniko_variable(small.organization.slug))
    settings.current.cache_clear()
    run = small.sync()
    assert run.error_code == "no_cliniko_key"
    assert settings.cliniko_variable(small.organization.slug) in run.advice


def test_only_one_of_two_runs_at_once_is_let_in(small: Clinic) -> None:
    syncs.start(small.organization, "patients", ANA, "test")
    with pytest.raises(Exception, match="started this"):
        syncs.start(small.organization, "patients", ANA, "test")


@pytest.mark.parametrize("changed", [False, True])
def test_a_plan_is_confirmed_where_nothing_was_changed_since_in_cliniko(
    small: Clinic, database: Ask, *, changed: bool
) -> None:
    small.sync()
    small.account.change("patients", number(small, 3), at=now() - 60, last_name="Okafor")
    run = small.work(syncs.preview(small.organization, "patients", ANA, "test"))
    assert run.status == "waiting"
    if changed:
        small.account.change("patients", number(small, 2), at=now() + 60, last_name="Sato")
    ended = small.work(syncs.confirm(small.organization, run.id, ANA, "test"))
    if changed:
        assert ended.error_code == "plan_outdated"
        assert "the source of Patients was changed meanwhile" in ended.message
    else:
        assert small.counts(ended, "patients") == {"read": 1, "updated": 1}
        assert "Patients: 1 row had been read before" in log(ended, database)


def test_no_plan_brings_back_who_was_deleted_since(small: Clinic, database: Ask) -> None:
    small.sync()
    new = small.account.add("patients")
    small.account.change("patients", new, at=now() - 60, created_at=now() - 60)
    run = small.work(syncs.preview(small.organization, "patients", ANA, "test"))
    small.account.delete("patients", new, now())
    ended = small.work(syncs.confirm(small.organization, run.id, ANA, "test"))
    assert ended.error_code == "plan_outdated"
    assert stored(small, database) == 120


def test_after_a_late_confirmation_is_read_what_changed_since_its_plan(
    small: Clinic, database: Ask
) -> None:
    small.sync()
    plan = small.work(syncs.preview(small.organization, "patients", ANA, "test"))
    grow_old(small, database, hours=3)
    since = datetime.now(UTC) - timedelta(hours=3) - incremental.OVERLAP
    with db.everywhere() as connection:  # open meanwhile, so that nobody else ends the plan
        decided = runs.to_decide(connection, small.organization.id, plan.id)
        small.sync()
        runs.confirm(connection, decided)
    assert small.work(plan).status == "completed"
    assert f"Read what changed since {since:%d %b %Y, %H:}" in small.sync().notes[0]


def test_an_undo_lets_everything_be_read_again(small: Clinic, database: Ask) -> None:
    small.sync()
    small.account.change("patients", number(small, 3), at=now() - 60, last_name="Quillfeather")
    undone = small.sync()
    undo = small.work(syncs.undo(small.organization, undone.id, ANA, "test"))
    small.work(syncs.confirm(small.organization, undo.id, ANA, "test"))
    names = ask(small, database, "select last_name from patients where organization_id = %(org)s")
    assert ("Quillfeather",) not in names
    again = small.sync()
    assert again.notes[0] == "Read everything."
    assert small.counts(again, "patients") == {"read": 120, "updated": 1, "unchanged": 119}


def test_an_undo_that_is_confirmed_after_a_sweep_lets_everything_be_read_again(
    small: Clinic, database: Ask
) -> None:
    small.sync()
    small.account.change("patients", number(small, 3), at=now() - 7200, last_name="Quillfeather")
    grow_old(small, database, hours=3)
    undone = small.sync()
    undo = small.work(syncs.undo(small.organization, undone.id, ANA, "test"))
    grow_old(small, database, hours=30)
    assert small.sync().notes[0] == "Read everything."
    small.work(syncs.confirm(small.organization, undo.id, ANA, "test"))
    again = small.sync()
    assert small.counts(again, "patients")["updated"] == 1
