"""The whole way from a Google Sheet into Postgres, through gspread and a server on loopback."""

import json
from collections.abc import Callable, Iterator

import psycopg
import pytest

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.execution import attempt
from sync_core.foundation import db, redis_clients, settings
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.runs import Run, attempts, progress, tab_titles, traffic
from sync_core.runs.attempts import joined_log
from sync_core.sources import source_name
from tests.support.desk import ANA
from tests.support.fakes.google import (
    DEMO,
    DRIVE_DISABLED,
    NOT_SHARED,
    Fault,
    Google,
    broken_json,
    cut,
    status,
)
from tests.support.fakes.spreadsheets import Lazy, Row, Shown, Tab, location


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with Google() as google:
        monkeypatch.setenv("GOOGLE_API_BASE_URL", google.url)
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", json.dumps(google.service_account()))
        monkeypatch.setenv("SYNCDESK_FETCH_TIMEOUT", "20")
        settings.current.cache_clear()
        yield google
    monkeypatch.undo()
    settings.current.cache_clear()


def sync(
    organization: Organization,
    resource: str = "locations",
    tab: str | None = None,
    ask: Callable[..., Run] = syncs.start,
) -> Run:
    declared = resources.by_name(resource)
    with db.everywhere() as connection:
        found = source_settings.parse(organization, declared, DEMO, tab, None)
        source_settings.save(connection, organization, found)
    return work(organization, ask(organization, resource, ANA, "test"))


def work(organization: Organization, run: Run) -> Run:
    attempt.work(run.id)
    with db.everywhere() as connection:
        return runs.get(connection, organization.id, run.id)


def confirm(organization: Organization, run: Run) -> Run:
    return work(organization, syncs.confirm(organization, run.id, ANA, "test"))


def test_ten_thousand_rows_arrive_with_their_types(
    google: Google, organization: Organization, database: psycopg.Connection
) -> None:
    google.add(Tab("Locations", Lazy(location, 10_001), spare_rows=500))
    run = sync(organization)
    assert run.message == "Processed 10,000 locations: 10,000 created, 0 updated."
    stored = database.execute(
        "select postcode, latitude::text, opened_on::text, active, phone from locations"
        " where organization_id = %s and location_code = 'L000007'",
        [organization.id],
    ).fetchone()
    assert stored == ("0007", "-33.07", "2020-01-08", True, "+61290070007")
    assert sync(organization).message.endswith("0 created, 0 updated, 10,000 unchanged.")


def test_money_and_dates_are_read_under_their_formats(
    google: Google, organization: Organization, database: psycopg.Connection
) -> None:
    brands: list[Row] = [["Brand code", "Name", "Website", "Active"], ["B1", "Still", "", True]]
    header = ["Package code", "Brand code", "Name", "Price", "Currency", "Sessions", "Duration"]
    price = Shown(1234.5, "€1.234,50")
    start = Shown(46_055, "02.02.2026", is_date=True)
    package: Row = [Shown(7, "007"), "B1", "Ten", price, "EUR", 10, 45, start, "31.12.2026", True]
    columns: Row = [*header, "Valid from", "Valid until", "Active"]
    packages = [columns, package]
    google.add(Tab("Brands", brands), Tab("Packages", packages, gid=5)).locale = "de_DE"
    run = sync(organization, "services")
    assert run.message == "Brands: 1 created, 0 updated. Packages: 1 created, 0 updated."
    stored = database.execute(
        "select package_code, price::text, valid_from::text, valid_until::text from packages"
        " where organization_id = %s",
        [organization.id],
    ).fetchone()
    assert stored == ("007", "1234.50", "2026-02-02", "2026-12-31")


def test_amounts_and_checkboxes_are_read_as_people_see_them(
    google: Google, organization: Organization, database: psycopg.Connection
) -> None:
    yes, no = Shown(value=True, text="WAHR"), Shown(value=False, text="FALSCH")
    brands: list[Row] = [["Brand code", "Name", "Website", "Active"]]
    brands += [["B1", "Still", "", yes], ["B2", "Loud", "", no]]
    header = ["Package code", "Brand code", "Name", "Price", "Currency", "Sessions", "Duration"]
    prices: dict[str, tuple[Shown, str]] = {
        "P1": (Shown(5, "€5"), "5.00"),
        "P2": (Shown(5, "5 €"), "5.00"),
        "P3": (Shown(0.1 + 0.2, "0,30 €"), "0.30"),
        "P4": (Shown(1.1 * 3, "3,30 €"), "3.30"),
        "P5": (Shown(7, "7,0 €"), "7.00"),
        "P6": (Shown(57.99999999999999, "58,00 €"), "58.00"),
    }
    packages: list[Row] = [[*header, "Valid from", "Valid until", "Active"]]
    packages += [
        [code, "B1", "Ten", price, "EUR", 10, 45, "", "", yes]
        for code, (price, _) in prices.items()
    ]
    google.add(Tab("Brands", brands), Tab("Packages", packages, gid=5)).locale = "de_DE"
    run = sync(organization, "services")
    assert run.message == "Brands: 2 created, 0 updated. Packages: 6 created, 0 updated."
    stored = database.execute(
        "select package_code, price::text from packages where organization_id = %s order by 1",
        [organization.id],
    ).fetchall()
    assert stored == [(code, price) for code, (_, price) in prices.items()]
    active = database.execute(
        "select active from brands where organization_id = %s order by brand_code",
        [organization.id],
    ).fetchall()
    assert active == [(True,), (False,)]


def test_an_exact_title_wins_over_one_that_differs_in_blanks_or_capitals(
    google: Google, organization: Organization
) -> None:
    other = [location(0), location(7)]
    google.add(
        Tab("locations ", other),
        Tab("Locations", [location(number) for number in range(4)], gid=5),
        Tab("LOCATIONS", other, gid=6),
    )
    assert sync(organization).message == "Processed 3 locations: 3 created, 0 updated."
    google.add(Tab("locations ", other), Tab("LOCATIONS", other, gid=6))
    run = sync(organization)
    assert (run.status, run.error_code) == ("failed", "ambiguous_tab")
    assert "'locations ', 'LOCATIONS'" in run.message


def test_a_sheet_that_is_not_shared_names_whom_to_share_it_with(
    google: Google, organization: Organization
) -> None:
    google.add(Tab("Locations", [location(0), location(1)]))
    google.fault("/v4/", status(NOT_SHARED), times=9)
    run = sync(organization)
    assert (run.status, run.error_code) == ("failed", "sheet_not_shared")
    assert "sync@demo-clinics.iam.gserviceaccount.com" in run.message + run.advice


def test_an_error_cell_fails_its_row_and_names_the_cell(
    google: Google, organization: Organization, database: psycopg.Connection
) -> None:
    broken = list(location(2))
    broken[3] = "#REF!"
    google.add(Tab("Locations", [location(0), location(1), broken]))
    run = sync(organization)
    assert run.message == "Processed 2 locations: 1 created, 0 updated, 1 failed."
    ((issues,),) = database.execute(
        "select issues from outcomes where run_id = %s and kind = 'failed'", [run.id]
    ).fetchall()
    assert [(i["code"], i["cell"]) for i in issues] == [("formula_error", "Locations!D3")]


def test_a_locale_that_nobody_knows_is_one_sentence(
    google: Google, organization: Organization
) -> None:
    google.add(Tab("Locations", [location(0), location(1)])).locale = "xx_YY"
    run = sync(organization)
    assert (run.status, run.error_code) == ("failed", "unknown_locale")
    assert run.message.endswith("written in the locale xx_YY, which is not known.")


def test_a_sheet_that_is_edited_while_it_is_read_is_read_once_more(
    google: Google, organization: Organization, database: psycopg.Connection
) -> None:
    google.add(Tab("Locations", [location(0), location(1)]))

    def edit() -> None:
        sheet = google.add(Tab("Locations", [location(0), location(2), location(3)]))
        sheet.modified = "2026-11-21T00:00:00.000Z"

    google.edit("/values:batchGet", edit)
    run = sync(organization)
    assert run.message == "Processed 2 locations: 2 created, 0 updated."
    stored = database.execute(
        "select location_code from locations where organization_id = %s order by 1",
        [organization.id],
    ).fetchall()
    assert stored == [("L000002",), ("L000003",)]


def test_a_sheet_that_is_edited_again_and_again_is_refused_and_nothing_is_changed(
    google: Google, organization: Organization, database: psycopg.Connection
) -> None:
    google.add(Tab("Locations", [location(0), location(1)]))
    edits = iter(range(1, 10))

    def edit() -> None:
        sheet = google.add(Tab("Locations", [location(0), location(next(edits))]))
        sheet.modified = f"2026-11-21T00:00:0{next(edits)}.000Z"

    google.edit("/values:batchGet", *[edit] * 4)
    run = sync(organization)
    assert (run.status, run.error_code) == ("failed", "source_being_edited")
    assert run.message == (
        "The tab 'Locations' of 'Master data' was being edited while it was read, and changed"
        " again at the second attempt."
    )
    (count,) = database.execute(
        "select count(*) from locations where organization_id = %s", [organization.id]
    ).fetchone() or (None,)
    assert count == 0


@pytest.mark.parametrize("fault", [cut, broken_json], ids=["a cut body", "broken JSON"])
def test_a_page_that_stays_damaged_fails_the_run_and_is_no_short_sheet(
    google: Google, organization: Organization, database: psycopg.Connection, fault: Fault
) -> None:
    google.add(Tab("Locations", [location(0), location(1), location(2)]))
    assert sync(organization).status == "completed"
    google.add(Tab("Locations", Lazy(location, 25_001))).modified = "2026-11-21T00:00:00.000Z"
    google.fault("A20002", fault, times=99)
    run = sync(organization)
    assert (run.status, run.error_code) == ("failed", "google_unavailable")
    query = "select count(*) from locations where organization_id = %s"
    assert database.execute(query, [organization.id]).fetchone() == (2,)
    assert google.asked("A20002") > 1


def test_two_tabs_of_one_spreadsheet_are_of_one_moment(
    google: Google, organization: Organization, database: psycopg.Connection
) -> None:
    header = ["Package code", "Brand code", "Name", "Price", "Currency", "Sessions", "Duration"]
    columns: Row = [*header, "Valid from", "Valid until", "Active"]

    def tabs(brand: str) -> list[Tab]:
        brands: list[Row] = [["Brand code", "Name", "Website", "Active"], [brand, "X", "", ""]]
        package: Row = ["P1", brand, "Ten", 5, "EUR", 10, 45, "", "", True]
        return [Tab("Brands", brands), Tab("Packages", [columns, package], gid=5)]

    def edit() -> None:
        google.add(*tabs("NEW")).modified = "2026-11-21T00:00:00.000Z"

    google.add(*tabs("OLD"))
    google.edit("Packages", lambda: None, edit)  # its first rows are read, the others not
    assert sync(organization, "services").status == "completed"
    stored = database.execute(
        "select b.brand_code, p.brand_code from brands b join packages p using (organization_id)"
        " where organization_id = %s",
        [organization.id],
    ).fetchall()
    assert stored == [("NEW", "NEW")]


def test_a_run_says_once_that_drive_was_no_help_and_what_is_hidden(
    google: Google, organization: Organization
) -> None:
    google.fault("/drive/", status(DRIVE_DISABLED), times=99)
    google.add(Tab("Locations", [location(0), location(1)], hidden=True))
    run = sync(organization)
    assert run.status == "completed"
    hidden, unchecked = run.notes
    assert hidden == "Locations: the tab is hidden; it was read all the same."
    assert unchecked.startswith("Google Drive could not be asked whether 'Master data' was changed")


def test_a_tab_is_known_by_the_title_that_it_had(
    google: Google, organization: Organization
) -> None:
    google.add(Tab("Sites", [location(0), location(1)], gid=418))
    assert sync(organization, tab="418").status == "completed"
    google.add(Tab("Our sites", [location(0), location(1)], gid=418))
    assert sync(organization, tab="418").status == "completed"  # renamed
    google.add(Tab("Our sites", [location(0), location(1)], gid=7), Tab("Locations"))
    run = sync(organization, tab="418")
    assert run.message == (
        "The tab 'Our sites' is no longer in 'Master data'; another tab is called 'Our sites'."
    )
    google.add(Tab("Prices", [["Product"]], gid=7))
    assert sync(organization, tab="418").message == (
        "The tab 'Our sites' is no longer in 'Master data'; it has 'Prices'."
    )
    with db.everywhere() as connection:
        found = source_settings.read_all(connection, organization)
        [setting] = tab_titles.named(connection, organization, found)
    assert source_name(setting) == "Google Sheet 1Dem…mnop, tab Our sites"


def test_a_run_tells_how_many_requests_it_took_and_how_much_was_read(
    google: Google, organization: Organization
) -> None:
    google.add(Tab("Locations", Lazy(location, 300)))
    run = sync(organization)
    with db.everywhere() as connection:
        taken = traffic.of_run(connection, run.id)
        log = joined_log(attempts.of_run(connection, run.id))
    asked = google.asked("/v4/") + google.asked("/drive/")
    assert taken.requests == asked == 6
    assert 50_000 < taken.bytes < 500_000
    assert "Locations: read 299 rows with 6 requests" in [line.text for line in log]
    known, _ = progress.read(redis_clients.client(), [run.id])
    assert known[run.id].traffic == taken


def test_a_plan_is_confirmed_by_drive_s_word_that_nothing_was_changed(
    google: Google, organization: Organization
) -> None:
    google.add(Tab("Locations", Lazy(location, 101)))
    run = sync(organization, ask=syncs.preview)
    asked = google.asked(":batchGet")
    assert confirm(organization, run).message == "Processed 100 locations: 100 created, 0 updated."
    assert google.asked(":batchGet") - asked < asked  # but for its header, no cell was read again


def test_a_plan_is_refused_by_drive_s_word_that_something_was_changed(
    google: Google, organization: Organization
) -> None:
    sheet = google.add(Tab("Locations", Lazy(location, 101)))
    run = sync(organization, ask=syncs.preview)
    sheet.modified = "2026-11-21T10:32:00.000Z"
    ended = confirm(organization, run)
    assert (ended.status, ended.error_code) == ("expired", "plan_outdated")
    assert ended.message == (
        "The plan is out of date: the tab 'Locations' of 'Master data' was changed on"
        " 21 Nov 2026, 10:32 (UTC). Nothing was changed."
    )


@pytest.mark.parametrize("changes", [False, True])
def test_where_drive_is_no_help_the_rows_of_a_plan_are_read_again(
    google: Google, organization: Organization, *, changes: bool
) -> None:
    google.fault("/drive/", status(DRIVE_DISABLED), times=99)
    rows = [location(n) for n in range(101)]
    google.add(Tab("Locations", rows))
    run = sync(organization, ask=syncs.preview)
    if changes:
        google.add(Tab("Locations", [*rows[:-1], [*rows[-1][:1], "Mill Clinic", *rows[-1][2:]]]))
    ended = confirm(organization, run)
    assert ended.error_code == ("plan_outdated" if changes else None)
    assert ("source of Locations was changed" in ended.message) == changes
