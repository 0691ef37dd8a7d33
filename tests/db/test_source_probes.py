"""A probe of a source finds what a sync would find, and leaves nothing behind."""

import json
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from click.testing import CliRunner

from sync_core.catalogue import resources
from sync_core.cli.main import cli
from sync_core.demo import organization as demo
from sync_core.engine.probe import Probe
from sync_core.foundation import db, settings
from sync_core.operations import source_probes
from sync_core.organizations import Organization, source_settings
from sync_core.organizations.people import Person
from sync_core.records import privacy
from tests.support.desk import ANA, Desk, Rows
from tests.support.fakes.google import DEMO, Google
from tests.support.fakes.spreadsheets import Cell, Tab
from tests.support.locations import BROKEN, HEADER, LOCATIONS, row
from tests.support.sources import refusal

WRONG = [
    HEADER,
    row("L1", "Harbour Clinic", Phone="not a phone", Active="perhaps"),
    row("", "Mill Clinic"),
    row("L2", "East Clinic", Phone="nor this", Opened_on="31/12/2024"),
    row("L3", "West Clinic"),
    row("L2", "East Clinic, too"),
]
THERAPISTS, SCHEDULES = (
    [field.label for field in resources.ENTITIES[name].fields]
    for name in ("therapists", "schedules")
)


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with Google() as google:
        monkeypatch.setenv("GOOGLE_API_BASE_URL", google.url)
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", json.dumps(google.service_account()))
        settings.current.cache_clear()
        yield google
    monkeypatch.undo()
    settings.current.cache_clear()


def tried(desk: Desk, resource: str = "locations", **files: Rows) -> list[Probe]:
    for entity, rows in files.items():
        desk.write(entity, rows)
    desk.set_source(resource)
    return source_probes.probe_sources(desk.organization, ANA, resource)


def of_google(
    google: Google, organization: Organization, rows: Sequence[Sequence[Cell]], **tab: object
) -> Probe:
    title = str(tab.get("title", "Locations"))
    google.add(Tab(title, rows, gid=7, hidden=bool(tab.get("hidden"))))
    declared = resources.by_name("locations")
    with db.everywhere() as connection:
        found = source_settings.parse(organization, declared, DEMO, None, None)
        source_settings.save(connection, organization, found)
    (probe,) = source_probes.probe_sources(organization, ANA, "locations")
    return probe


def told(found: Probe) -> list[str]:
    return [finding.sentence for finding in found.findings]


def test_a_source_that_is_right_says_so_and_shows_its_first_rows(desk: Desk) -> None:
    many = [HEADER, *(row(f"L{i}", f"Clinic {i}") for i in range(29))]
    (found,) = tried(desk, locations=many)
    assert found.sentence == "The file 'locations.csv' can be read: 29 rows, 12 columns."
    assert (found.read, found.failed, found.whole, found.findings) == (29, 0, True, ())
    assert found.sample is not None
    assert list(found.sample.headers) == HEADER
    assert [list(cells) for cells in found.sample.rows] == many[1:6]


def test_what_is_wrong_is_told_by_column_as_a_sync_tells_it(
    desk: Desk, database: psycopg.Connection
) -> None:
    (found,) = tried(desk, locations=WRONG)
    run = desk.sync("locations")
    assert found.failed == desk.counts(run, "locations")["failed"] == 4
    assert found.sentence.endswith("5 rows, 12 columns. A sync would refuse 4 rows.")
    query = "select issues from outcomes where run_id = %s and kind = 'failed'"
    synced = {
        (issue["field"], issue["sentence"])
        for (issues,) in database.execute(query, [run.id])
        for issue in issues
    }
    assert {(one.first.field, one.first.sentence) for one in found.findings} <= synced
    assert {one.first.field for one in found.findings} == {field for field, _ in synced}
    assert told(found)[0] == "Locations!G2: Invalid phone format (1 more row like it)"


def test_a_repeated_key_is_told_with_the_row_that_had_it_first(desk: Desk) -> None:
    (found,) = tried(desk, locations=[HEADER, row("L1", "A"), row("L2", "B"), row("L1", "C")])
    assert told(found) == ["Locations!A4: Duplicate of row 2: Location code L1"]


def test_a_reference_to_nothing_is_told_but_not_where_the_other_table_was_not_read(
    desk: Desk,
) -> None:
    brands = [["Brand code", "Name", "Website", "Active"], ["B1", "Calm", "", ""]]
    header = [field.label for field in resources.ENTITIES["packages"].fields]
    cells = {"Package code": "P1", "Brand code": "B2", "Name": "Six visits"}
    packages = [header, [cells.get(label, "") for label in header]]
    _, found = tried(desk, "services", brands=brands, packages=packages)
    assert [one.first.code for one in found.findings if one.first.field == "Brand code"] == [
        "unknown_reference"
    ]
    other, found = tried(desk, "services", brands=[["Brand code"], ["B1"]])
    assert other.error is not None
    assert [one for one in found.findings if one.first.code == "unknown_reference"] == []


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ([label for label in HEADER if label != "Name"], "missing_column"),
        ([*HEADER, "City"], "repeated_column"),
    ],
)
def test_a_header_that_a_sync_would_refuse_is_refused(
    desk: Desk, header: list[str], code: str
) -> None:
    (found,) = tried(desk, locations=[header, ["x"] * len(header)])
    assert found.error is not None
    assert found.error.code == code
    assert desk.sync("locations").message == found.error.sentence


def test_a_source_that_lost_its_rows_is_refused(desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    (found,) = tried(desk, locations=[HEADER])
    assert found.error is not None
    assert found.error.code == "source_empty"


def test_one_table_that_cannot_be_read_does_not_keep_the_other_back(desk: Desk) -> None:
    schedules = [[field.label for field in resources.ENTITIES["schedules"].fields]]
    therapists, other = tried(desk, "therapists", schedules=schedules)
    assert therapists.error is not None
    assert therapists.error.code == "no_file_of_table"
    assert other.error is None


def test_only_the_first_rows_of_a_long_source_are_read_and_it_says_so(
    desk: Desk, google: Google
) -> None:
    last = [row("L0", "The last one", Phone="not a phone")]
    rows = [HEADER, *(row(f"L{i}", f"Clinic {i}") for i in range(45_000)), *last]
    found = of_google(google, desk.organization, rows)
    assert (found.read, found.failed, found.whole) == (20_000, 0, False)
    assert found.sentence == (
        "The tab 'Locations' of 'Master data' can be read: 20,000 rows, 12 columns."
        " These are the first rows; those below were not tried."
    )


def test_a_source_that_takes_too_long_is_given_up(
    desk: Desk, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_probes, "LONGEST", 0.0)
    found = of_google(google, desk.organization, LOCATIONS)
    assert found.error is not None
    assert found.error.code == "probe_too_long"


def test_a_tab_that_is_not_there_is_told_with_those_that_are(desk: Desk, google: Google) -> None:
    google.add(Tab("Therapists", [["Name"]], gid=3), Tab("Notes", [["Hello"]], gid=4))
    desk.set_source("locations")
    with db.everywhere() as connection:
        found = source_settings.parse(
            desk.organization, resources.by_name("locations"), DEMO, None, None
        )
        source_settings.save(connection, desk.organization, found)
    (one,) = source_probes.probe_sources(desk.organization, ANA, "locations")
    assert one.error is not None
    assert "'Therapists', 'Notes'" in one.error.sentence


def test_a_google_sheet_is_tried_with_what_is_under_its_cells_and_with_its_notes(
    desk: Desk, google: Google
) -> None:
    found = of_google(google, desk.organization, LOCATIONS, hidden=True)
    assert (found.failed, found.read) == (0, 2)
    assert found.notes == ("Locations: the tab is hidden; it was read all the same.",)


def test_personal_columns_of_the_first_rows_are_left_out_for_everybody(desk: Desk) -> None:
    patients = resources.by_name("patients").main
    header = [field.label for field in patients.fields]
    cells = [f"Cell of {label}" for label in header]
    types = resources.ENTITIES["appointment_types"]
    other = [[field.label for field in types.fields]]
    found = tried(
        desk, "patients", patients=[header, cells, [*cells, "more"]], appointment_types=other
    )
    (sample,) = [one.sample for one in found if one.entity == "patients"]
    assert sample is not None
    as_it_is, shifted = (dict(zip(sample.headers, row, strict=True)) for row in sample.rows)
    open_labels = [field.label for field in patients.fields if not field.sensitive]
    assert list(sample.headers) == open_labels
    assert set(sample.hidden) == {label for label in header if label not in open_labels}
    assert as_it_is == {label: f"Cell of {label}" for label in open_labels}
    assert set(shifted.values()) == {privacy.MASK}
    assert "Cell of Name" not in str(found)


def test_a_table_that_must_be_synced_first_is_named(desk: Desk) -> None:
    rows = [["T1", "Ada", "", "", "", "L1", "", "", ""]]
    given: dict[str, Rows] = {"therapists": [THERAPISTS, *rows], "schedules": [SCHEDULES]}
    first = "Therapists: there are no locations yet. Sync locations first."
    (found, _) = tried(desk, "therapists", **given)
    assert (found.failed, found.notes) == (1, (first,))
    assert first in desk.sync("therapists", **given).notes
    desk.sync("locations", locations=[HEADER, row("L2", "Mill Clinic")])
    (found, _) = tried(desk, "therapists", **given)
    assert (found.failed, found.notes) == (1, ())


def test_nothing_is_written_and_no_run_is_left(desk: Desk, database: psycopg.Connection) -> None:
    desk.sync("locations", locations=LOCATIONS)
    before = state(database)
    tried(desk, locations=WRONG)
    assert state(database) == before


def state(database: psycopg.Connection) -> list[object]:
    names = "select relname from pg_class where relnamespace = 'staging'::regnamespace order by 1"
    counted = [
        database.execute(f"select count(*) from {name}").fetchall()
        for name in ("runs", "actions", "outcomes", "checkpoints", "locations")
    ]
    return [database.execute(names).fetchall(), *counted]


@pytest.mark.parametrize("person", [demo.PEOPLE[0], demo.PEOPLE[2]], ids=lambda one: one.role)
def test_who_may_not_sync_may_not_try(desk: Desk, person: Person) -> None:
    desk.set_source("locations")
    error = refusal(lambda: source_probes.probe_sources(desk.organization, person, "locations"))
    assert error.code == "no_permission"


def command(desk: Desk, *more: str) -> tuple[int, str]:
    words = ["source", "test", "locations", "--org", desk.organization.slug, *more]
    done = CliRunner().invoke(cli, words)
    return done.exit_code, done.output


def test_the_shell_tells_it_and_ends_as_the_sync_would(desk: Desk) -> None:
    desk.write("locations", [*BROKEN, row("L2", "Escape \x1b[2J")])
    desk.set_source("locations")
    code, output = command(desk)
    assert (code, "\x1b" in output) == (3, False)
    assert "A sync would refuse 2 rows." in output
    assert "L1 | Harbour Clinic |" in output
    code, output = command(desk, "--json")
    found = json.loads(output)["entities"]["locations"]
    assert (code, json.loads(output)["ok"], found["failed"]) == (3, False, 2)
    assert found["findings"][0]["cell"] == "Locations!G2"
    desk.write("locations", LOCATIONS)
    assert command(desk)[0] == 0


def test_the_shell_ends_with_why_a_source_cannot_be_read(desk: Desk) -> None:
    desk.set_source("locations")
    code, output = command(desk, "--json")
    assert (code, json.loads(output)["error"]["code"]) == (5, "no_file_of_table")
