"""The made-up Cliniko answers as the real one documents itself; tests and the demo rely on it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sync_core.demo.cliniko import Account
from sync_core.demo.cliniko.__main__ import made_on
from sync_core.demo.cliniko.known import KINDS, Kind
from sync_core.demo.cliniko.life import Life
from tests.support.cliniko_client import Clock
from tests.support.fakes.cliniko import KEY, Cliniko

DAY = 86_400
TODAY = datetime(2026, 11, 26, 6, 30, tzinfo=UTC)
APPOINTMENTS: Kind = "individual_appointments"


@pytest.fixture
def account() -> Account:
    return Account(today=TODAY)


@pytest.fixture
def cliniko(account: Account) -> Iterator[Cliniko]:
    with Cliniko() as cliniko:
        cliniko.add(KEY, account)
        yield cliniko


@pytest.fixture
def http(cliniko: Cliniko) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{cliniko.url}/v1", auth=(KEY, "")) as http:
        yield http


def ask(http: httpx2.Client, path: str, *filters: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - a query
    answer = http.get(f"/{path}", params={"q[]": filters, **options})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def total(http: httpx2.Client, path: str, *filters: str) -> int:
    return int(ask(http, path, *filters, per_page=1)["total_entries"])


# the account


def test_the_account_is_the_documents_and_the_same_every_time(account: Account) -> None:
    again = Account(today=TODAY)
    for kind in KINDS:
        assert account.known(kind) == again.known(kind)
        first = account.known(kind)[0]
        assert account.record(kind, first, "x") == again.record(kind, first, "x")
    assert [len(account.known(kind)) for kind in KINDS] == [648, 1247, 12]
    assert account.known("patients") != Account(seed=8, today=TODAY).known("patients")


def test_614_patients_are_live_of_whom_89_are_active(account: Account) -> None:
    live = {one.id for one in account.known("patients") if one.archived_at is None}
    visits = [
        one
        for one in account.known(APPOINTMENTS)
        if one.archived_at is None and one.cancelled_at is None and one.starts_at is not None
    ]
    now = int(TODAY.timestamp())
    coming = live & {one.patient_id for one in visits if one.starts_at >= now}  # type: ignore[operator] # none is blank
    recent = live & {
        one.patient_id
        for one in visits
        if now - 45 * DAY <= one.starts_at < now and not one.did_not_arrive  # type: ignore[operator] # none is blank
    }
    assert (len(live), len(recent), len(coming), len(recent & coming)) == (614, 72, 31, 14)
    assert len(recent | coming) == 89


def test_a_demo_keeps_the_day_on_which_it_was_made_up(tmp_path: Path) -> None:
    first = made_on(tmp_path / "made-on.txt")
    assert made_on(tmp_path / "made-on.txt") == first
    for other in (
        (first - timedelta(days=29)).isoformat(),
        "2999-01-01T00:00:00Z",
        "?",
        "2026-01-01",
    ):
        (tmp_path / "made-on.txt").write_text(other)
        assert made_on(tmp_path / "made-on.txt") >= first


def test_an_account_lives_on_the_same_way_however_often_somebody_looks(account: Account) -> None:
    now = int(TODAY.timestamp())
    again = Account(today=TODAY)
    often, once = Life(account), Life(again)
    for minutes in range(0, 1441, 7):
        often.catch_up(now + minutes * 60)
    often.catch_up(now + DAY)
    once.catch_up(now + DAY)
    assert account.version > 100
    for kind in KINDS:
        assert account.known(kind) == again.known(kind)
    assert len(account.known("patients")) == 648
    fresh = Account(today=TODAY)
    changed = set(account.known("patients")) - set(fresh.known("patients"))
    assert all(now < one.updated_at <= now + DAY for one in changed)
    assert len(account.known(APPOINTMENTS)) > 1247


def test_nothing_happens_in_the_first_minutes(account: Account) -> None:
    Life(account).catch_up(TODAY.timestamp() + 599)
    assert account.version == 0


# lists


def test_lists_leave_out_the_archived_and_the_cancelled_unless_asked(http: httpx2.Client) -> None:
    assert (total(http, "patients"), total(http, "patients", "archived_at:*")) == (614, 648)
    assert total(http, "patients", "archived_at:?") == 34
    assert total(http, "appointment_types") == 10
    everything = total(http, APPOINTMENTS, "archived_at:*", "cancelled_at:*")
    without = total(http, APPOINTMENTS)
    cancelled = total(http, APPOINTMENTS, "cancelled_at:?")
    archived = total(http, APPOINTMENTS, "archived_at:?")
    assert everything == 1247 == without + cancelled + archived
    assert (cancelled, archived) == (40, 6)


def test_pages_have_links_and_fifty_records_unless_asked(http: httpx2.Client) -> None:
    first = ask(http, "patients")
    assert (len(first["patients"]), first["total_entries"]) == (50, 614)
    assert "previous" not in first["links"]
    second = http.get(first["links"]["next"]).json()
    assert second["patients"][0] != first["patients"][0]
    last = ask(http, "patients", page=13)
    assert (len(last["patients"]), "next" in last["links"]) == (14, False)
    assert len(ask(http, "patients", per_page=1000)["patients"]) == 100


def test_filters_are_combined(http: httpx2.Client, account: Account) -> None:
    ids = [one.id for one in account.known("patients") if one.archived_at is None]
    assert total(http, "patients", f"id:>{ids[9]}", f"id:<={ids[19]}") == 10
    assert total(http, "patients", f"id:={ids[3]},{ids[5]},1") == 2
    first = ask(http, "patients", "last_name:~an")["patients"]
    assert all("an" in record["last_name"].lower() for record in first)
    assert total(http, "patients", "last_name:~~a%t") == total(
        http, "patients", "last_name:=Abbott"
    )
    visits = total(http, APPOINTMENTS, "starts_at:>=2026-11-26T06:30:00Z")
    assert 0 < visits == total(http, APPOINTMENTS, "starts_at:>2026-11-26T06:29:59Z")


def test_lists_are_sorted_as_asked(http: httpx2.Client) -> None:
    ids = [int(one["id"]) for one in ask(http, "patients", sort="id", per_page=100)["patients"]]
    assert ids == sorted(ids)
    newest = ask(http, "patients", sort="updated_at:desc", per_page=100)["patients"]
    moments = [one["updated_at"] for one in newest]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("phone:=1", "phone is not filterable"),
        ("id:>abc", "Filter value for id must be a number"),
        ("id:>", "Filter value for id must be a number"),
        ("updated_at:>=yesterday", "Filter value for updated_at must be a UTC date and time"),
        ("updated_at:=2026-01-01T00:00:00Z", "Filter operator for updated_at is not supported"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(
    http: httpx2.Client, condition: str, message: str
) -> None:
    answer = http.get("/patients", params={"q[]": condition})
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_records_point_at_each_other_by_links_alone(http: httpx2.Client, cliniko: Cliniko) -> None:
    visits = ask(http, APPOINTMENTS, per_page=100)["individual_appointments"]
    assert "patient_id" not in visits[0]
    assert visits[0]["starts_at"].endswith("Z")
    address = visits[0]["patient"]["links"]["self"]
    assert address.startswith(f"{cliniko.url}/v1/patients/")
    blank = ask(http, APPOINTMENTS, "patient_id:!?")["individual_appointments"]
    assert blank
    assert {one["patient"] for one in blank} == {None}


def test_an_archived_patient_cannot_be_asked_for(http: httpx2.Client, account: Account) -> None:
    number = next(one.id for one in account.known("patients") if one.archived_at is None)
    assert http.get(f"/patients/{number}").json()["id"] == str(number)
    account.archive("patients", number)
    assert http.get(f"/patients/{number}").status_code == 404
    assert http.get("/patients/abc").status_code == 404
    assert http.get("/invoices").status_code == 404


def test_what_happens_to_an_account_shows(http: httpx2.Client, account: Account) -> None:
    number = account.add("patients", first_name="Nia")
    account.change("patients", number, at=int(TODAY.timestamp()) + 9, last_name="Nought")
    [found] = ask(http, "patients", f"id:={number}")["patients"]
    assert (found["first_name"], found["last_name"]) == ("Nia", "Nought")
    assert found["updated_at"] == "2026-11-26T06:30:09Z"
    account.remove("patients", number)
    assert total(http, "patients", f"id:={number}") == 0


def test_who_was_deleted_is_listed_apart(http: httpx2.Client, account: Account) -> None:
    among_others = [one for one in account.known("patients") if one.deleted_at]
    number = next(one.id for one in account.known("patients") if one.archived_at is None)
    account.delete("patients", number, int(TODAY.timestamp()))
    assert total(http, "patients/deleted") == len(among_others) + 1
    [found] = ask(http, "patients/deleted", "deleted_at:>=2026-11-26T06:30:00Z")["patients"]
    assert found["links"]["self"].endswith(f"/v1/patients/{number}")
    assert set(found) == {"deleted_at", "links"}
    assert total(http, "patients", f"id:={number}", "archived_at:*") == 0


# keys and the limit


def test_a_key_opens_one_account_with_its_ending_or_without(http: httpx2.Client) -> None:
    cut = KEY.rpartition("-")[0]
    assert http.get("/patients", auth=(cut, "")).status_code == 200
    refused = http.get("/patients", auth=("another", ""))
    assert (refused.status_code, refused.text) == (401, "HTTP Basic: Access denied.\n")
    assert http.get("/patients", auth=None, headers={"Authorization": "Basic %"}).status_code == 401


def test_a_role_may_read_some_lists_only(http: httpx2.Client, cliniko: Cliniko) -> None:
    cliniko.add(KEY, Account(9, 9), role="practitioner", forbidden=frozenset({"patients"}))
    assert http.get("/patients").status_code == 403
    assert http.get(f"/{APPOINTMENTS}").status_code == 200
    assert http.get("/user").json()["role"] == "practitioner"


def test_200_requests_a_minute_are_answered(account: Account) -> None:
    clock = Clock()
    with Cliniko(limit=200, clock=clock) as cliniko:
        cliniko.add(KEY, account)
        with httpx2.Client(base_url=f"{cliniko.url}/v1", auth=(KEY, "")) as http:
            answers = [http.get("/user") for _ in range(201)]
            assert [answer.status_code for answer in answers] == [200] * 200 + [429]
            assert answers[-1].headers["X-RateLimit-Reset"] == str(int(clock.now) + 60)
            clock.now += 60
            assert http.get("/user").status_code == 200
