"""Google Sheets over real HTTP: tabs, cells, refusals, servers in trouble."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_core import sources
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page, Sheet, Source
from sync_core.foundation.settings import Secret, Settings
from sync_core.sources import Opening
from sync_core.sources.google.client import GoogleClient
from sync_core.sources.retry import Retrier
from tests.support import bombs
from tests.support.fakes import google as fake
from tests.support.fakes.google import DEMO, READER, Google
from tests.support.fakes.spreadsheets import (
    DAY_0,
    LOCATION_HEADER,
    Lazy,
    Row,
    Shown,
    Tab,
    location,
)
from tests.support.sources import (
    FAST_RETRIES,
    LOCATIONS,
    NONE,
    all_rows,
    refusal,
    rows_of,
    source_setting,
)

SOON = 2.0  # seconds; a source may be silent so long, and a request takes a fraction of it

pytestmark = pytest.mark.usefixtures("servers")  # workers share Google's quota through Redis

ROWS: list[Row] = [
    ["Code", "Name", "Opened", "Rate"],
    ["L1", "Zoë's clinic", Shown(43_831.0, "1/1/2020", is_date=True), Shown(95.5, "$95.50")],
    [],
    [Shown(7, "007"), "", "soon", True],
    ["L3", None, 12, "#REF!"],
]


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as google:
        google.add(Tab("Locations", ROWS, spare_rows=1000), Tab("Other", [["x"]], gid=7))
        yield google


def settings(google: Google, timeout: float = 20, **key: str) -> Settings:
    account = json.dumps({**google.service_account(), **key})
    return Settings(
        google_service_account_json=Secret(account),
        google_api_base_url=google.url,
        fetch_timeout=timeout,
    )


def source(
    google: Google,
    timeout: float = 20,
    *,
    tab: str | None = None,
    locale: str | None = None,
    header_row: int | None = None,
) -> Source:
    return sources.open_source(
        source_setting("sheet", DEMO, tab=tab, locale=locale, header_row=header_row),
        Opening(settings=settings(google, timeout), retry_policy=FAST_RETRIES),
    )


def opened(
    google: Google, timeout: float = 20, *, tab: str | None = None, locale: str | None = None
) -> Sheet:
    return source(google, timeout, tab=tab, locale=locale).open(LOCATIONS)


def read(google: Google, timeout: float = 20) -> list[tuple[int, list[str]]]:
    return all_rows(opened(google, timeout))


# what is read


def test_rows_are_read_as_people_see_them(google: Google) -> None:
    sheet = opened(google)
    assert sheet.headers == ["Code", "Name", "Opened", "Rate"]
    assert all_rows(sheet) == [
        (2, ["L1", "Zoë's clinic", "1/1/2020", "$95.50"]),
        (3, ["", "", "", ""]),
        (4, ["007", "", "soon", "TRUE"]),
        (5, ["L3", "", "12", "#REF!"]),
    ]
    assert (sheet.name, sheet.title) == ("The tab 'Locations' of 'Master data'", "Locations")
    assert sheet.locale == "en_US"
    assert (sheet.header_row, sheet.total, sheet.unit) == (1, 1004, "rows")


def test_numbers_come_beside_the_texts_of_the_columns_that_want_them(google: Google) -> None:
    [page] = opened(google).pages(frozenset({0, 2, 3}))
    assert page.numbers == {
        0: [None, None, 7, None],
        2: [43_831, None, None, 12],
        3: [95.5, None, None, None],
    }
    assert rows_of(page)[0] == (2, ["L1", "Zoë's clinic", "1/1/2020", "$95.50"])


def test_truth_values_come_beside_the_texts_whatever_these_say(google: Google) -> None:
    ticked = Shown(value=True, text="WAHR")
    rows: list[Row] = [["Code", "Active"], ["L1", ticked], ["L2", False], ["L3", 1]]
    google.add(Tab("Locations", rows))
    [page] = opened(google).pages(frozenset({0, 1}))
    assert page.booleans == {1: [True, False, None]}
    assert page.numbers == {0: [None, None, None], 1: [None, None, 1]}


def test_a_sheet_is_read_with_few_requests(google: Google) -> None:
    list(opened(google).pages(frozenset({2, 3})))
    assert google.asked("/token") == 1
    assert google.asked("/v4/spreadsheets") == 4  # tabs, first rows, texts, numbers
    assert google.asked("/drive") == 2  # changed in between?


def test_a_token_that_runs_out_is_renewed(google: Google) -> None:
    google.token_life = 30
    assert len(read(google)) == 4
    assert google.asked("/token") == google.asked("/v4/") + google.asked("/drive/")


def test_blank_headers_keep_their_column(google: Google) -> None:
    google.add(Tab("Locations", [["Code", "", "Name", None], ["L1", "x", "North", "y"]]))
    sheet = opened(google)
    assert sheet.headers == ["Code", "", "Name"]
    assert all_rows(sheet) == [(2, ["L1", "x", "North"])]


def test_a_header_alone_gives_no_page(google: Google) -> None:
    google.add(Tab("Locations", [["Code", "Name"]]))
    assert read(google) == []


def test_an_empty_tab_is_a_sentence(google: Google) -> None:
    google.add(Tab("Locations", [], spare_rows=1000))
    assert refusal(lambda: opened(google)).sentence == (
        "The tab 'Locations' of 'Master data' is empty: it has no header row."
    )


def test_a_large_tab_comes_in_pages_whose_row_numbers_go_on(google: Google) -> None:
    google.add(Tab("Locations", Lazy(short, 45_001)))
    sheet = opened(google)
    pages = list(sheet.pages(frozenset({1})))
    assert [len(page.rows) for page in pages] == [20_000, 20_000, 5_000]
    assert [row for page in pages for row in page.rows] == list(range(2, 45_002))
    assert rows_of(pages[-1])[-1] == (45_001, ["L45000", "45000"])
    assert pages[1].numbers[1][0] == 20_001
    assert [page.done for page in pages] == [20_000, 40_000, 45_000]
    assert sheet.total == 45_000


def short(number: int) -> Row:
    return ["Code", "Size"] if number == 0 else [f"L{number}", number]


def gappy(number: int) -> Row:
    return ["Code"] if number == 0 else [f"L{number}"] if number in {5, 50_000} else []


def test_blank_rows_count_only_where_another_row_follows(google: Google) -> None:
    google.add(Tab("Locations", Lazy(gappy, 50_001), spare_rows=30_000))
    pages = list(opened(google).pages(frozenset({0})))
    numbers = [row for page in pages for row in page.rows]
    assert (pages[0].rows, numbers) == (range(2, 7), list(range(2, 50_002)))
    assert [row for row in rows_of(pages[-1]) if row[1] != [""]] == [(50_001, ["L50000"])]
    assert max(len(page.rows) for page in pages) == 20_000


def test_a_grid_of_two_million_blank_rows_takes_few_reads(google: Google) -> None:
    google.add(Tab("Locations", [["Code"], ["L1"]], spare_rows=1_999_998))
    [page] = opened(google).pages(frozenset({0}))
    assert page.rows == range(2, 3)
    assert google.asked("/v4/") == 6


def test_rows_too_large_for_one_answer_come_in_smaller_pages(google: Google) -> None:
    google.add(Tab("Locations", Lazy(long, 801)))
    pages = list(opened(google, 60).pages(frozenset({0})))
    assert [row for page in pages for row in page.rows] == list(range(2, 802))
    assert max(len(page.rows) for page in pages) < 800


def long(number: int) -> Row:
    return [f"L{number}", "x" * 45_000] if number else ["Code", "Notes"]


def test_rows_after_blank_ones_are_not_read_at_once_where_they_are_many(google: Google) -> None:
    def row(number: int) -> Row:
        return long(number) if number == 0 or number > 30_000 else []

    google.add(Tab("Locations", Lazy(row, 30_801)))
    pages = list(opened(google, 60).pages(NONE))
    assert [row for page in pages for row in page.rows] == list(range(2, 30_802))
    assert max(len(page.rows) for page in pages) <= 20_000
    assert [len(page.rows) for page in pages][:3] == [20_000, 10_000, 625]


def test_pages_of_a_wide_tab_are_shorter(google: Google) -> None:
    header: Row = [f"Label {number}" for number in range(400)]
    wide = Lazy(lambda number: [f"L{number}"] if number else header, 2501)
    google.add(Tab("Locations", wide, columns=500))
    pages = list(opened(google).pages(NONE))
    assert [len(page.rows) for page in pages] == [1000, 1000, 500]
    assert {len(page.texts) for page in pages} == {400}


def test_blank_rows_of_a_wide_tab_are_handed_on_in_shorter_pages(google: Google) -> None:
    header: Row = [f"Label {number}" for number in range(400)]

    def row(number: int) -> Row:
        return header if number == 0 else ["L"] if number in {1, 5_000} else []

    google.add(Tab("Locations", Lazy(row, 5_001), columns=400))
    pages = list(opened(google).pages(NONE))
    assert [number for page in pages for number in page.rows] == list(range(2, 5_002))
    assert max(len(page.rows) for page in pages) == 1_000


def test_reading_goes_on_after_a_cursor(google: Google) -> None:
    google.add(Tab("Locations", Lazy(short, 25_001)))
    first, second = opened(google).pages(NONE)
    [again] = opened(google).pages(NONE, json.loads(json.dumps(first.cursor)))
    assert again == second


def test_a_cursor_of_an_older_sheet_is_refused(google: Google) -> None:
    [page] = opened(google).pages(NONE)
    google.spreadsheets[DEMO].modified = "2026-11-21T00:00:00.000Z"
    error = refusal(lambda: list(opened(google).pages(NONE, page.cursor)))
    assert error.code == "source_changed_while_reading"


def test_the_source_setting_decides_the_locale_before_the_sheet(google: Google) -> None:
    google.spreadsheets[DEMO].locale = "de_DE"
    assert opened(google).locale == "de_DE"
    assert opened(google, locale="fr_FR").locale == "fr_FR"


def test_a_cell_has_an_address(google: Google) -> None:
    google.add(Tab("Locations", ROWS, gid=418))
    assert opened(google).link(418, 2) == (
        f"https://docs.google.com/spreadsheets/d/{DEMO}/edit#gid=418&range=C418"
    )


def test_the_key_may_lie_in_a_file(google: Google, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps(google.service_account()))
    from_file = Settings(google_service_account_file=key, google_api_base_url=google.url)
    assert (
        sources.open_source(source_setting("sheet", DEMO), Opening(settings=from_file))
        .open(LOCATIONS)
        .headers
    )


# which tab


@pytest.mark.parametrize(
    ("tabs", "wanted", "title"),
    [
        ([Tab("X"), Tab("Locations", gid=1)], None, "Locations"),
        ([Tab("locations"), Tab("Locations", gid=1)], None, "Locations"),
        ([Tab("clinics"), Tab(" Clinics", gid=1), Tab("Clinics", gid=2)], "Clinics", "Clinics"),
        ([Tab("X"), Tab("Our  clinics", gid=1)], "our clinics", "Our  clinics"),
        ([Tab("X", hidden=True), Tab("Clinics", gid=1)], None, "Clinics"),
        ([Tab("X"), Tab(" LOCATIONS ", gid=1)], None, " LOCATIONS "),
        ([Tab("X"), Tab("Clinics", gid=1), Tab("locations", gid=2)], "clinics ", "Clinics"),
        ([Tab("X"), Tab("It's 1", gid=1)], "It's 1", "It's 1"),
        ([Tab("Locations"), Tab("X", gid=418)], "418", "X"),
        ([Tab("Locations"), Tab("2026", gid=418)], "2026", "2026"),
        ([Tab("Locations", hidden=True), Tab("X", gid=1)], None, "Locations"),
        ([Tab("Clinics")], None, "Clinics"),
        ([Tab("Clinics"), Tab("Locations", gid=1, chart=True)], None, "Clinics"),
    ],
)
def test_a_tab_is_found_by_gid_by_title_or_by_the_entity(
    google: Google, tabs: list[Tab], wanted: str | None, title: str
) -> None:
    for tab in tabs:
        tab.rows = [[tab.title]]
    google.add(*tabs)
    sheet = opened(google, tab=wanted)
    assert (sheet.title, sheet.headers) == (title, [title])


def test_the_name_of_the_entity_is_a_title_too(google: Google) -> None:
    google.add(Tab("X", [["x"]]), Tab("packages", [["Code"]], gid=1))
    packages = Entity(name="packages", title="Brands and packages", fields=())
    assert source(google).open(packages).title == "packages"


def test_a_title_that_fits_several_tabs_only_loosely_is_refused(google: Google) -> None:
    google.add(Tab("LOCATIONS"), Tab("locations ", gid=1), Tab("X", gid=2))
    assert refusal(lambda: opened(google)).sentence == (
        "'Master data' has several tabs that may be 'Locations': 'LOCATIONS', 'locations '."
    )


def test_a_tab_that_is_gone_names_those_there_are(google: Google) -> None:
    assert refusal(lambda: opened(google, tab="Clinics")).sentence == (
        "'Master data' has no tab 'Clinics'; it has 'Locations', 'Other'."
    )


def test_a_tab_that_was_deleted_is_named_with_the_one_that_may_stand_for_it(google: Google) -> None:
    error = refusal(lambda: opened(google, tab="418"))
    assert error.sentence == (
        "The tab with the number 418 is no longer in 'Master data'; another tab is called"
        " 'Locations'."
    )
    google.add(Tab("Clinics"), Tab("Sites", gid=1))
    assert refusal(lambda: opened(google, tab="418")).sentence == (
        "The tab with the number 418 is no longer in 'Master data'; it has 'Clinics', 'Sites'."
    )


def test_the_only_tab_is_not_taken_for_a_deleted_one(google: Google) -> None:
    google.add(Tab("Prices", [["Product", "Price"], ["Ball", 5]]))
    locations = resources.ENTITIES["locations"]
    assert refusal(lambda: source(google).open(locations)).sentence == (
        "'Master data' has no tab 'Locations'; it has 'Prices'."
    )


def test_a_chart_is_not_read(google: Google) -> None:
    google.add(Tab("Locations"), Tab("Chart 1", gid=5, chart=True))
    sentence = (
        "The tab 'Chart 1' of 'Master data' holds no cells: it is a chart, or a view of a table"
        " elsewhere."
    )
    assert refusal(lambda: opened(google, tab="Chart 1")).sentence == sentence
    assert refusal(lambda: opened(google, tab="5")).sentence == sentence


def test_of_many_tabs_the_first_are_named(google: Google) -> None:
    google.add(*[Tab(f"Tab {number}", gid=number) for number in range(30)])
    sentence = refusal(lambda: opened(google)).sentence
    assert sentence.endswith("'Tab 18', 'Tab 19' and 10 more.")


def test_a_hidden_tab_is_noted(google: Google) -> None:
    google.add(Tab("Locations", [["Code"], ["OLD"]], hidden=True), Tab("Locations 2025", gid=7))
    assert opened(google).notes == ["Locations: the tab is hidden; it was read all the same."]


def test_merged_cells_of_the_table_are_noted_and_others_are_not(google: Google) -> None:
    merges = ["A1:B1", "C2:C4", "B3:D3", "G2:H2"]
    google.add(Tab("Locations", ROWS, merges=merges), Tab("Other", merges=["A2:A3"], gid=7))
    sheet = opened(google)
    list(sheet.pages(NONE))
    [note] = sheet.notes
    assert note == (
        "Locations: 2 ranges are merged, and only the first cell of each holds a value: C2:C4 and"
        " B3:D3."
    )


def test_of_many_merged_cells_the_first_twenty_are_named(google: Google) -> None:
    google.add(Tab("Locations", ROWS, merges=[f"A{n}:A{n + 1}" for n in range(2, 62, 2)]))
    sheet = opened(google)
    list(sheet.pages(NONE))
    [note] = sheet.notes
    assert note.startswith("Locations: 30 ranges are merged, and")
    assert note.endswith("A38:A39, A40:A41 and 10 more.")


# the header


@pytest.mark.parametrize(
    "above", [[[]], [["Our clinics"]], [["Our clinics"], [], ["as of", "", "Monday"]]]
)
def test_the_header_may_stand_below_blank_rows_and_a_title(
    google: Google, above: list[Row]
) -> None:
    google.add(Tab("Locations", [*above, location(0), location(1)]))
    sheet = source(google).open(resources.ENTITIES["locations"])
    assert (sheet.header_row, sheet.headers) == (len(above) + 1, list(LOCATION_HEADER))
    assert sheet.notes == [
        f"Locations: the header was found in row {len(above) + 1}; the rows above it were left out."
    ]
    [page] = sheet.pages(NONE)
    assert page.rows == range(len(above) + 2, len(above) + 3)
    assert page.done == sheet.total == 1


def test_a_header_of_other_labels_is_the_first_row_that_is_not_blank(google: Google) -> None:
    google.add(Tab("Locations", [[], ["Product", "Price"], ["Ball", 5]]))
    sheet = source(google).open(resources.ENTITIES["locations"])
    assert (sheet.header_row, sheet.headers) == (2, ["Product", "Price"])


# refusals


def test_a_sheet_that_is_not_shared_names_whom_to_share_it_with(google: Google) -> None:
    google.spreadsheets[DEMO].shared = False
    error = refusal(lambda: opened(google))
    assert error.sentence == f"The Google Sheet is not shared with {READER}."
    assert READER in error.advice


def test_a_wrong_id_is_a_sentence(google: Google) -> None:
    google.spreadsheets.clear()
    assert (
        refusal(lambda: opened(google)).sentence
        == f"There is no Google Sheet with the id '{DEMO}'."
    )


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSM = "application/vnd.ms-excel.sheet.macroEnabled.12"


@pytest.mark.parametrize("kind", [XLSX, XLSM, "application/vnd.ms-excel"])
def test_a_workbook_that_lies_in_drive_is_named_as_one_before_sheets_is_asked(
    google: Google, kind: str
) -> None:
    google.spreadsheets[DEMO].kind = kind
    google.fault("/v4/", fake.status(fake.NOT_A_SHEET))
    error = refusal(lambda: opened(google))
    assert error.sentence == (
        f"The document with the id '{DEMO}' is an Excel workbook that is stored in Google Drive."
    )
    assert "Save as Google Sheets" in error.advice
    assert google.asked("/v4/") == 0


OTHER = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SECURITY_POLICY_VIOLATED"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(fake.html(404), "sheet_not_found", id="404 as a page"),
        pytest.param(fake.status(fake.API_DISABLED), "google_api_disabled", id="switched off"),
        pytest.param(fake.status(fake.DRIVE_DISABLED), "google_api_disabled", id="not configured"),
        pytest.param(fake.status(fake.NOT_A_SHEET), "not_a_google_sheet", id="an Excel file"),
        pytest.param(fake.status(fake.SCOPES_MISSING), "google_scopes_missing", id="scopes"),
        pytest.param(
            fake.status(fake.error(403, "Request is prohibited.", "PERMISSION_DENIED", [OTHER])),
            "google_refused",
            id="another 403",
        ),
        pytest.param(
            fake.status(fake.error(400, "Invalid field selection.", "INVALID_ARGUMENT")),
            "google_refused",
            id="400",
        ),
    ],
)
def test_a_refusal_is_not_tried_again(google: Google, fault: fake.Fault, code: str) -> None:
    google.fault("/v4/", fault)
    assert refusal(lambda: opened(google)).code == code
    assert google.asked("/v4/") == 1


def test_a_token_that_is_refused_is_renewed_once(google: Google) -> None:
    google.fault("/v4/", fake.status(fake.NOT_SIGNED_IN))
    assert len(read(google)) == 4
    assert google.asked("/token") == 2
    google.fault("/v4/", fake.status(fake.NOT_SIGNED_IN), times=99)
    assert refusal(lambda: opened(google)).sentence == (
        f"Google refuses the key of the service account {READER}: its token is not accepted."
    )


def test_a_key_that_google_does_not_know_is_refused_with_its_reason(google: Google) -> None:
    bad = settings(google, client_email="stranger@demo-clinics.iam.gserviceaccount.com")
    other = sources.open_source(
        source_setting("sheet", DEMO), Opening(settings=bad, retry_policy=FAST_RETRIES)
    )
    assert refusal(lambda: other.open(LOCATIONS)).sentence == (
        "Google refuses the key of the service account "
        "stranger@demo-clinics.iam.gserviceaccount.com: Invalid JWT Signature."
    )
    assert google.asked("/token") < 3


ACCOUNT = '{"type": "service_account", "client_email": "a@example.org", "token_uri": "https://x"'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("secret", "it is not JSON"),
        ('["secret"]', "it is not the key of a service account"),
        ('{"type": "authorized_user"}', "it is not the key of a service account"),
        (
            '{"type": "service_account", "token_uri": "http://tokens.example.org"}',
            "its token_uri does not begin with https://",
        ),
        (f"{ACCOUNT}}}", "it lacks private_key"),
        (f'{ACCOUNT}, "private_key": "secret"}}', "its private key is damaged"),
        (f'{ACCOUNT}, "private_key": 5}}', "its private key is damaged"),
    ],
)
def test_a_bad_key_is_a_sentence_without_the_key(content: str, why: str) -> None:
    bad = Settings(google_service_account_json=Secret(content))
    error = refusal(
        lambda: sources.open_source(source_setting("sheet", DEMO), Opening(settings=bad)).open(
            LOCATIONS
        )
    )
    assert error.sentence == f"The key of the Google service account cannot be used: {why}."
    assert "secret" not in repr(error)


def test_a_bad_key_file_is_a_sentence(tmp_path: Path) -> None:
    missing, binary = tmp_path / "gone.json", tmp_path / "binary.json"
    binary.write_bytes(b"\xff")

    def sentence(path: Path) -> str:
        bad = Settings(google_service_account_file=path)
        return refusal(
            lambda: sources.open_source(source_setting("sheet", DEMO), Opening(settings=bad)).open(
                LOCATIONS
            )
        ).sentence

    start = "The key of the Google service account cannot be used: its file"
    assert sentence(missing) == f"{start} cannot be read (No such file or directory)."
    assert sentence(binary) == f"{start} is not text."


def test_no_key_at_all_is_a_sentence() -> None:
    nothing = sources.open_source(source_setting("sheet", DEMO), Opening(settings=Settings()))
    assert refusal(lambda: nothing.open(LOCATIONS)).sentence == "No Google service account is set."


# too much

TAB = "The tab 'Locations' of 'Master data' is not read: it has more than"


@pytest.mark.parametrize(
    ("columns", "spare_rows", "limit"),
    [(18_279, 0, "18,278 columns"), (10_000, 10_000, "100,000,000 cells")],
)
def test_a_grid_larger_than_any_of_google_s_is_refused_before_a_cell_is_read(
    google: Google, columns: int, spare_rows: int, limit: str
) -> None:
    google.add(Tab("Locations", ROWS, columns=columns, spare_rows=spare_rows))
    assert refusal(lambda: opened(google)).sentence == f"{TAB} {limit}."
    assert google.asked("/values/") == 0


TOO_LARGE = (
    "The Google Sheet is not read: its first rows, or its tabs and merged cells, take more than"
    " 32 MB."
)


@pytest.mark.parametrize("path", ["/v4/", "/values/", "/token"])
@pytest.mark.parametrize("encoding", ["gzip", bombs.TWICE])
def test_an_answer_that_unpacks_to_too_much_is_left_where_it_is_too_much(
    google: Google, path: str, encoding: str
) -> None:
    bomb = bombs.packed_twice(200)
    assert len(bomb) < 2_000
    body = bomb if encoding == bombs.TWICE else gzip.decompress(bomb)
    headers = (("Content-Encoding", encoding),)
    google.fault(path, lambda _: fake.Answer(200, body, headers=headers), times=9)
    with bombs.at_most(100):
        assert refusal(lambda: opened(google)).sentence == TOO_LARGE


def test_first_rows_that_are_too_large_are_told(google: Google) -> None:
    google.add(Tab("Locations", [["x" * 50_000] * 700], columns=700))
    assert refusal(lambda: opened(google, 60)).sentence == TOO_LARGE


# trouble

UNAVAILABLE = "Google Sheets could not be read:"
DAMAGED = "it sent a damaged answer"
INCOMPLETE = "its answer lacks what was requested"
TOO_LATE = "it does not answer in time"
CUT = "it cut its answer off"
ELSEWHERE = "it sends us on to another address"
OLDER_QUOTAS = (
    fake.drive_error(403, "Rate Limit Exceeded", "rateLimitExceeded", "global"),
    {"error": {"code": 403, "message": "x", "errors": [{"reason": "userRateLimitExceeded"}]}},
    fake.error(403, "Quota exceeded.", "RESOURCE_EXHAUSTED"),
)


def outage(status: int) -> str:
    return f"Google answered with an error ({status})"


def without(*names: str) -> fake.Fault:
    return fake.changed(lambda body: [body.pop(name, None) for name in names])


def instead(**parts: Any) -> fake.Fault:  # noqa: ANN401 - JSON
    return fake.changed(lambda body: body.update(parts))


TROUBLE = [
    pytest.param(fake.status(fake.UNAVAILABLE), outage(503), id="503"),
    pytest.param(fake.status(fake.error(408, "Timeout", "X")), outage(408), id="408"),
    pytest.param(fake.html(500), outage(500), id="500 as a page"),
    pytest.param(fake.html(403), outage(403), id="403 as a page"),
    pytest.param(lambda _: fake.Answer(500, b'{"error": "no"}'), outage(500), id="another error"),
    pytest.param(fake.body(fake.pretty(fake.UNAVAILABLE)), outage(503), id="503 with 200"),
    pytest.param(fake.redirect("/elsewhere"), ELSEWHERE, id="a redirect"),
    pytest.param(fake.html(), DAMAGED, id="a page with 200"),
    pytest.param(fake.body(""), DAMAGED, id="nothing"),
    pytest.param(fake.body("[]"), DAMAGED, id="a list"),
    pytest.param(fake.broken_json, DAMAGED, id="broken JSON"),
    pytest.param(fake.not_gzip, DAMAGED, id="not gzip"),
    pytest.param(lambda _: fake.not_gzip(fake.Answer(503)), DAMAGED, id="503 and not gzip"),
    pytest.param(fake.body("{}"), INCOMPLETE, id="an empty object"),
    pytest.param(without("range"), INCOMPLETE, id="no range"),
    pytest.param(without("majorDimension"), INCOMPLETE, id="no dimension"),
    pytest.param(instead(majorDimension="ROWS"), INCOMPLETE, id="rows for columns"),
    pytest.param(instead(range="Locations!B1:Z20"), INCOMPLETE, id="another range"),
    pytest.param(instead(range="Locations"), INCOMPLETE, id="no range but a tab"),
    pytest.param(instead(range=7), INCOMPLETE, id="a number for a range"),
    pytest.param(instead(values={}), DAMAGED, id="an object for columns"),
    pytest.param(instead(values=["Code"]), DAMAGED, id="a text for a column"),
    pytest.param(instead(values=[[None]]), DAMAGED, id="nothing for a text"),
    pytest.param(instead(values=[["x"]] * 27), DAMAGED, id="more columns than asked for"),
    pytest.param(instead(values=[["x"] * 21]), DAMAGED, id="more rows than asked for"),
    pytest.param(fake.cut, CUT, id="cut body"),
    pytest.param(fake.reset, CUT, id="reset"),
    pytest.param(fake.hang, TOO_LATE, id="hang"),
    pytest.param(fake.drip, TOO_LATE, id="drip"),
]


def limit(why: str) -> float:
    return SOON if why == TOO_LATE else 20


@pytest.mark.parametrize(("fault", "why"), TROUBLE)
def test_trouble_that_passes_is_waited_out(google: Google, fault: fake.Fault, why: str) -> None:
    google.fault("/values/", fault)
    assert len(read(google, limit(why))) == 4


@pytest.mark.parametrize(("fault", "why"), TROUBLE)
def test_trouble_that_stays_ends_in_a_sentence(google: Google, fault: fake.Fault, why: str) -> None:
    google.fault("/values/", fault, times=99)
    error = refusal(lambda: opened(google, limit(why)))
    assert error.sentence == f"{UNAVAILABLE} {why}."
    patience = FAST_RETRIES.outage_attempts if error.entry.outage else FAST_RETRIES.attempts
    assert google.asked("/values/") == patience


@pytest.mark.parametrize("lacking", ["properties", "sheets"])
def test_metadata_is_asked_for_again_where_parts_are_lacking(google: Google, lacking: str) -> None:
    google.fault("/v4/", without(lacking))
    assert len(read(google)) == 4
    google.fault("/v4/", without(lacking), times=99)
    assert refusal(lambda: opened(google)).sentence == f"{UNAVAILABLE} {INCOMPLETE}."


@pytest.mark.parametrize("body", [fake.TOO_MANY, fake.DRIVE_TOO_MANY, *OLDER_QUOTAS])
def test_a_spent_quota_is_waited_out_and_then_named(google: Google, body: fake.Json) -> None:
    google.fault("/values/", fake.status(body))
    assert len(read(google)) == 4
    google.fault("/values/", fake.status(body), times=99)
    assert refusal(lambda: opened(google)).sentence == (
        "Google limits our requests for now: too many requests in a minute."
    )


NOBODY = "it signs nobody in"


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param(fake.html(), NOBODY, id="a page with 200"),
        pytest.param(fake.body(""), NOBODY, id="nothing"),
        pytest.param(fake.broken_json, NOBODY, id="broken JSON"),
        pytest.param(fake.html(403), NOBODY, id="a page of somebody else"),
        pytest.param(fake.redirect("https://x.example.org/"), ELSEWHERE, id="sent elsewhere"),
        pytest.param(fake.reset, CUT, id="reset"),
        pytest.param(fake.hang, TOO_LATE, id="hang"),
        pytest.param(fake.drip, TOO_LATE, id="drip"),
    ],
)
def test_trouble_with_signing_in_is_trouble_too(
    google: Google, fault: fake.Fault, why: str
) -> None:
    google.fault("/token", fault)
    assert len(read(google, limit(why))) == 4
    google.fault("/token", fault, times=99)
    assert refusal(lambda: opened(google, limit(why))).sentence == f"{UNAVAILABLE} {why}."


@pytest.mark.parametrize("path", ["/token", "/drive/", f"/v4/spreadsheets/{DEMO}", "/values/"])
def test_a_request_that_hangs_costs_one_try(google: Google, path: str) -> None:
    google.fault(path, fake.hang)
    sheet = opened(google, SOON)
    [page] = sheet.pages(frozenset({0}))
    assert (len(page.rows), sheet.notes) == (4, [])


def test_an_answer_that_comes_slowly_but_steadily_is_waited_for(google: Google) -> None:
    google.add(Tab("Locations", Lazy(short, 3_000)))
    google.pace = 0.15  # ten parts of 5 kB or more take longer than a request may be silent
    google.fault("/values/", lambda answer: answer, fake.crawl)
    assert len(read(google, SOON)) == 2_999


def test_bytes_and_waits_are_signs_of_life(google: Google) -> None:
    traffic: list[tuple[int, int, float]] = []
    opening = Opening(
        settings=settings(google),
        on_traffic=lambda *more: traffic.append(more),
        retry_policy=replace(FAST_RETRIES, longest_wait=0.2),
    )
    google.fault("/values/", fake.status(fake.TOO_MANY, Retry_After="7200"))
    sources.open_source(source_setting("sheet", DEMO), opening).open(LOCATIONS)
    assert sum(requests for requests, _, _ in traffic) == 4  # Drive, tabs, first rows twice
    assert sum(size for _, size, _ in traffic) > 500
    assert sum(waited for _, _, waited in traffic) == pytest.approx(0.2, abs=0.15)


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    with Google() as gone:
        closed = source(gone)
    error = refusal(lambda: closed.open(LOCATIONS))
    assert error.sentence == f"{UNAVAILABLE} it cannot be reached."


def test_what_is_waited_for_is_said(google: Google) -> None:
    told: list[str] = []
    faults = (fake.status(fake.TOO_MANY, Retry_After="7200"), fake.status(fake.TOO_MANY))
    google.fault("/values/", *faults, fake.status(fake.UNAVAILABLE), fake.reset)
    policy = replace(FAST_RETRIES, attempts=5, outage_attempts=5)
    opening = Opening(settings=settings(google), on_wait=told.append, retry_policy=policy)
    sources.open_source(source_setting("sheet", DEMO), opening).open(LOCATIONS)
    assert told == [
        "Google asks us to wait 7200 s. Trying again in 0 s",
        "Google limits our requests for now: too many requests in a minute. Trying again in 0 s",
        f"{UNAVAILABLE} {outage(503)}. Trying again in 0 s",
        f"{UNAVAILABLE} {CUT}. Trying again in 0 s",
    ]


# the quota, which an account's workers share


class WokenError(Exception):
    pass


def test_reads_beyond_the_quota_wait_for_it(google: Google) -> None:
    told: list[str] = []
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        raise WokenError

    few = replace(settings(google), google_reads=2)
    retry = Retrier("Google", FAST_RETRIES, told.append, sleep)
    one, other = (GoogleClient(DEMO, few, retry, lambda *_: None) for _ in range(2))
    one.metadata()
    other.metadata()
    with pytest.raises(WokenError):
        one.metadata()
    assert 0 < slept[0] <= 61
    assert told[0] == f"Google's limit is reached, going on in {slept[0]:.0f} s"
    assert google.asked("/v4/") == 2


# what is read is whole


@pytest.mark.parametrize("numbers", [NONE, frozenset({0, 2})])
def test_a_page_without_values_is_no_blank_page(google: Google, numbers: frozenset[int]) -> None:
    google.fault("/values/", lambda answer: answer, without("values"))
    [page] = opened(google).pages(numbers)
    assert page.rows == range(2, 6)
    google.fault("/values/", lambda answer: answer, *[without("values")] * 9)
    sheet = opened(google)
    assert refusal(lambda: list(sheet.pages(numbers))).sentence == (
        f"Google's answers about {sheet.name} contradict each other at A2."
    )


def test_first_rows_without_values_are_no_empty_tab(google: Google) -> None:
    google.fault("/values/", without("values"))
    assert len(read(google)) == 4
    google.fault("/values/", *[without("values")] * 9)
    assert refusal(lambda: opened(google)).code == "google_contradicts"


def wide(number: int) -> Row:
    """Make a row of a table so wide that a page has only a thousand of them."""
    return short(number) if number else [*short(0), *(f"Label {n}" for n in range(398))]


def test_a_page_without_values_between_others_is_no_blank_page(google: Google) -> None:
    google.add(Tab("Locations", Lazy(wide, 2_251), columns=400))
    as_it_is = [lambda answer: answer] * 2  # the first rows, the first page
    google.fault("/values/", *as_it_is, without("values"))
    assert [row for page in opened(google).pages(NONE) for row in page.rows] == list(
        range(2, 2_252)
    )
    google.fault("/values/", *as_it_is, *[without("values")] * 9)
    sheet = opened(google)
    assert refusal(lambda: list(sheet.pages(NONE))).code == "google_contradicts"


@pytest.mark.parametrize("rows", [2_251, 2_001, 1_001])
def test_a_page_that_stays_without_values_whoever_is_asked_is_no_blank_page(
    google: Google, rows: int
) -> None:
    """Where a page below or above others is blank, a method of another kind is asked, too."""
    google.add(Tab("Locations", Lazy(wide, rows), columns=400))
    page = "A2:" if rows == 1_001 else "A1002:"

    def blank(answer: fake.Answer) -> fake.Answer:
        content = json.loads(answer.body)
        for found in (content, *content.get("valueRanges", [])):
            if page in found.get("range", ""):
                found.pop("values", None)
        return fake.Answer(200, fake.pretty(content))

    google.fault("/values", blank, times=99)
    sheet = opened(google)
    assert refusal(lambda: list(sheet.pages(NONE))).code == "google_contradicts"


def test_a_sheet_may_hold_a_page_of_blank_rows(google: Google) -> None:
    def row(number: int) -> Row:
        return [] if 100 < number <= 2_000 else wide(number)

    google.add(Tab("Locations", Lazy(row, 2_251), columns=400))
    assert sum(len(page.rows) for page in opened(google).pages(frozenset({1}))) == 2_250


def test_cells_that_their_formats_hide_make_no_row(google: Google) -> None:
    hidden: list[Row] = [["", Shown(0, "")] for _ in range(300)]
    google.add(Tab("Locations", [["Code", "Left"], *hidden]))
    assert list(opened(google).pages(frozenset({0}))) == []
    google.add(Tab("Locations", [["Code", "Left"], *hidden, ["L1", 5]]))
    [page] = opened(google).pages(frozenset({0, 1}))
    assert len(page.rows) == 301


def test_a_page_that_ends_too_early_is_asked_for_again(google: Google) -> None:
    def cut(body: fake.Json) -> None:
        body["values"] = [column[:2] for column in body["values"]]

    google.fault("/values/", lambda answer: answer, fake.changed(cut))
    [page] = opened(google).pages(frozenset({0}))
    assert page.rows == range(2, 6)


def shortened(body: fake.Json) -> None:
    del body["valueRanges"][-1]


def emptied(body: fake.Json) -> None:
    del body["valueRanges"][0]["values"]


def shifted(body: fake.Json) -> None:
    for found in body["valueRanges"]:
        found["values"] = [column[1:] for column in found["values"]]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (shortened, "google_unavailable"),
        (lambda body: body.clear(), "google_unavailable"),
        (lambda body: body.update(valueRanges={}), "google_unavailable"),
        (emptied, "google_contradicts"),
        (shifted, "google_contradicts"),
    ],
)
def test_numbers_that_do_not_fit_the_texts_are_asked_for_again(
    google: Google, change: Callable[[fake.Json], object], code: str
) -> None:
    google.fault("/values:batchGet", fake.changed(change))
    [page] = opened(google).pages(frozenset({0, 2, 3}))
    assert page.numbers[2] == [43_831, None, None, 12]
    google.fault("/values:batchGet", fake.changed(change), times=99)
    assert refusal(lambda: list(opened(google).pages(frozenset({0, 2, 3})))).code == code


def test_a_usual_sheet_needs_no_formats(google: Google) -> None:
    google.add(Tab("Locations", [location(number) for number in range(300)], spare_rows=50))
    [page] = opened(google).pages(frozenset({0, 8, 9, 10, 11}))
    assert page.formats == {}
    assert google.asked("/v4/") == 4


def test_formats_are_asked_for_where_the_texts_do_not_tell_enough(google: Google) -> None:
    date, weight = Shown(45_422, "10.05", pattern="dd.mm"), Shown(5, "5 kg", pattern='0" kg"')
    rows: list[Row] = [["Code", "Opened", "Weight"]]
    rows += [["L", 7, 7] for _ in range(10)]
    rows[3], rows[5], rows[9] = ["L", date, 7], ["L", "soon", weight], ["L", date, 7]
    google.add(Tab("Locations", rows, spare_rows=50))
    [page] = opened(google).pages(frozenset({0, 1, 2}))
    assert page.formats == {
        1: [None, None, "date", None, None, None, None, None, "date", None],
        2: [None, None, None, None, "number", None, None, None, None, None],
    }
    assert google.requests[-2].query["ranges"] == ["'Locations'!B4:B10", "'Locations'!C6:C6"]
    assert google.asked("/v4/") == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.clear(),
        lambda body: body["sheets"].clear(),
        lambda body: body["sheets"][0].clear(),
        lambda body: body["sheets"][0]["data"].clear(),
        lambda body: body["sheets"][0]["data"][0].update(startRow=7),
        lambda body: body["sheets"][0]["data"][0].update(rowData=[{}] * 9),
        lambda body: body["sheets"][0]["data"][0].update(rowData={"values": 1}),
    ],
)
def test_formats_that_lack_something_are_asked_for_again(
    google: Google, change: Callable[[fake.Json], object]
) -> None:
    date = Shown(45_422, "10.05", pattern="dd.mm")
    google.add(Tab("Locations", [["Code", "Opened"], ["L1", date], ["L2", date]]))
    sheet = opened(google)
    google.fault("/v4/", *[lambda answer: answer] * 2, of_grid_data(change))  # of the third answer
    assert [page.formats for page in sheet.pages(frozenset({1}))] == [{1: ["date", "date"]}]
    google.fault("/v4/", of_grid_data(change), times=99)
    error = refusal(lambda: list(sheet.pages(frozenset({1}))))
    assert error.sentence == f"{UNAVAILABLE} {INCOMPLETE}."


def of_grid_data(change: Callable[[fake.Json], object]) -> fake.Fault:
    fault = fake.changed(change)
    return lambda answer: fault(answer) if b"rowData" in answer.body else answer


def test_dates_of_the_neighbours_are_no_dates_of_the_row(google: Google) -> None:
    days = [Shown(day, _day(day), pattern="d/m/yyyy") for day in range(45_300, 45_600)]
    rows: list[Row] = [["L", day] for day in days]
    google.add(Tab("Locations", [["Code", "Opened"], *rows]))
    google.fault("/values:batchGet", fake.changed(shifted), times=99)
    error = refusal(lambda: list(opened(google).pages(frozenset({1}))))
    assert error.code == "google_contradicts"


@pytest.mark.parametrize("rows", [40, 15_000])
@pytest.mark.parametrize("column", [1, 6])
@pytest.mark.parametrize("place", [0, -15])
def test_a_column_of_texts_alone_that_slipped_is_not_taken(
    google: Google, rows: int, column: int, place: int
) -> None:
    """All else of the answer is well-formed: it has as many columns and rows as before."""

    def slip(body: fake.Json) -> None:
        if len(body["values"][column]) == rows - 1:  # the header was read before
            del body["values"][column][place]
            body["values"][column].append("of another row")

    google.add(Tab("Locations", Lazy(location, rows)))
    numbers = frozenset({0, 8, 9, 10, 11})
    usual = all_texts(whole(google), numbers)
    google.fault("/values/", lambda answer: answer, fake.changed(slip))
    assert all_texts(whole(google), numbers) == usual
    google.fault("/values/", fake.changed(slip), times=99)
    error = refusal(lambda: all_texts(whole(google), numbers))
    assert error.code == "google_contradicts"


def test_a_text_that_is_hidden_worded_or_new_at_each_look_is_read_as_it_is_shown(
    google: Google,
) -> None:
    def show(body: fake.Json) -> None:
        if len(body["values"][1]) == 39:
            body["values"][1][0] = ""  # by the format ;;;
            body["values"][1][1] = "n/a"  # by one that has this word for any text
            body["values"][1][2] = "12:04"  # by a formula, a minute ago
            body["values"][1][38] = ""

    google.add(Tab("Locations", Lazy(location, 40)))
    google.fault("/values/", lambda answer: answer, fake.changed(show), times=1)
    names = all_texts(whole(google), frozenset({0}))[1]
    assert [names[0], names[1], names[2], names[38]] == ["", "n/a", "12:04", ""]


def whole(google: Google) -> Sheet:
    return source(google).open(resources.ENTITIES["locations"])


def all_texts(sheet: Sheet, numbers: frozenset[int]) -> list[list[str | None]]:
    pages = list(sheet.pages(numbers))
    return [[text for page in pages for text in page.texts[n]] for n in range(len(sheet.headers))]


def test_a_column_that_nobody_reads_may_change_with_each_look(google: Google) -> None:
    def tick(body: fake.Json) -> None:
        body["values"][12][0] = "another time"

    rows: list[Row] = [[*location(0), "Now"]]
    rows += [[*location(number), f"12:0{number}"] for number in range(1, 5)]
    google.add(Tab("Locations", rows))
    google.fault("/values/", lambda answer: answer, fake.changed(tick))
    assert len(all_texts(whole(google), frozenset({0}))[0]) == 4


def _day(number: float) -> str:
    day = DAY_0 + timedelta(number)
    return f"{day.day}/{day.month}/{day.year}"


def test_a_number_that_its_format_hides_is_no_contradiction(google: Google) -> None:
    rows: list[Row] = [["Code", "Left"], ["L1", 5], ["L2", Shown(0, "")], ["", Shown(0, "")]]
    google.add(Tab("Locations", rows))
    [page] = opened(google).pages(frozenset({0, 1}))
    assert (page.rows, page.numbers[1]) == (range(2, 4), [5, 0])


def test_a_format_may_put_words_around_a_text(google: Google) -> None:
    google.add(Tab("Locations", [["Code"], [Shown("L1", "Location L1")]]))
    [page] = opened(google).pages(frozenset({0}))
    assert list(page.texts[0]) == ["Location L1"]


# a sheet that changes while it is read


def after_the_first_page(google: Google, change: Callable[[], object]) -> list[Page]:
    google.add(Tab("Locations", Lazy(short, 25_001)))
    pages = opened(google).pages(NONE)
    read = [next(pages)]
    change()
    return [*read, *pages]


def test_a_change_between_two_pages_is_noticed(google: Google) -> None:
    def change() -> None:
        google.spreadsheets[DEMO].modified = "2026-11-21T00:00:00.000Z"

    error = refusal(lambda: after_the_first_page(google, change))
    assert error.sentence == (
        "The tab 'Locations' of 'Master data' was changed while it was being read."
    )
    assert error.entry.retry


@pytest.mark.parametrize("tab", [Tab("Clinics", [["Code"]]), Tab("Locations", [["Code"]])])
def test_a_tab_that_is_renamed_or_cut_between_two_pages_is_noticed(
    google: Google, tab: Tab
) -> None:
    error = refusal(lambda: after_the_first_page(google, lambda: google.add(tab)))
    assert error.code == "source_changed_while_reading"


def test_a_tab_that_loses_rows_between_two_pages_is_noticed(google: Google) -> None:
    shorter = Tab("Locations", Lazy(short, 22_000))
    error = refusal(lambda: after_the_first_page(google, lambda: google.add(shorter)))
    assert error.code == "source_changed_while_reading"


def test_drive_is_asked_again_after_an_error(google: Google) -> None:
    google.fault("/drive/", fake.status(fake.UNAVAILABLE))
    sheet = opened(google)
    assert len(list(sheet.pages(NONE))) == 1
    assert (sheet.version, sheet.notes) == (google.spreadsheets[DEMO].modified, [])


NOT_ASKED = (
    "Google Drive could not be asked whether 'Master data' was changed while it was read: its"
    " header, its size, and its first and last rows were compared instead."
)


@pytest.mark.parametrize(
    "fault",
    [
        fake.status(fake.DRIVE_DISABLED),
        fake.status(fake.NOT_FOUND),
        fake.status(fake.UNAVAILABLE),
        fake.hang,
        fake.html(),
        fake.body("{}"),
    ],
)
def test_without_drive_a_sheet_is_read_all_the_same_and_a_note_says_so(
    google: Google, fault: fake.Fault
) -> None:
    google.fault("/drive/", fault, times=99)
    sheet = opened(google, SOON)
    [page] = sheet.pages(NONE)
    assert len(page.rows) == 4
    assert (page.cursor, sheet.version, sheet.notes) == (None, None, [NOT_ASKED])


def test_drive_may_be_lost_in_the_middle(google: Google) -> None:
    google.fault("/drive/", lambda answer: answer, *[fake.status(fake.UNAVAILABLE)] * 9)
    sheet = opened(google)
    assert len(list(sheet.pages(NONE))) == 1
    assert sheet.notes == [NOT_ASKED]


def edited(rows: Sequence[Row], place: int, *others: Row) -> list[Row]:
    """Replace a row by others, or by none."""
    return [*rows[:place], *others, *rows[place + 1 :]]


LONG: list[Row] = [short(number) for number in range(301)]


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        pytest.param(edited(LONG, 150), {}, id="a row deleted"),
        pytest.param(edited(LONG, 150, LONG[150], ["New", 1]), {}, id="a row inserted"),
        pytest.param([*LONG, ["New", 1]], {"spare_rows": 49}, id="a row added at the end"),
        pytest.param(edited(LONG, 0, ["Code", "Rooms"]), {}, id="another header"),
        pytest.param(edited(LONG, 300, ["L300", 7]), {}, id="another last row"),
        pytest.param(LONG, {"spare_rows": 80}, id="a larger grid"),
        pytest.param(LONG, {"gid": 5}, id="another tab of the name"),
        pytest.param(LONG, {"hidden": True}, id="hidden meanwhile"),
    ],
)
def test_without_drive_an_edit_is_seen_by_what_stands_first_and_last(
    google: Google, rows: list[Row], options: dict[str, Any]
) -> None:
    google.fault("/drive/", fake.status(fake.DRIVE_DISABLED), times=99)
    google.add(Tab("Locations", LONG, spare_rows=50))
    sheet = opened(google)
    pages = sheet.pages(NONE)
    next(pages)
    google.add(Tab("Locations", rows, **{"spare_rows": 351 - len(rows), **options}))
    assert refusal(lambda: list(pages)).code == "source_changed_while_reading"


def test_an_edit_between_texts_and_numbers_mixes_no_rows(google: Google) -> None:
    google.add(Tab("Locations", LONG))
    shorter = Tab("Locations", edited(LONG, 9), spare_rows=1)
    google.edit("/values:batchGet", lambda: google.add(shorter))
    [page] = opened(google).pages(frozenset({0, 1}))
    assert list(page.texts[1]) == [f"{number:.0f}" for number in page.numbers[1]]


def test_where_the_header_row_is_set_nothing_is_searched(google: Google) -> None:
    google.add(Tab("Locations", [["Code", "Name"], ["Key", "Title"], ["L1", "North"]]))
    sheet = source(google, header_row=2).open(LOCATIONS)
    assert (list(sheet.headers), sheet.header_row, sheet.notes) == (["Key", "Title"], 2, [])
    assert all_rows(sheet)[0] == (3, ["L1", "North"])
    error = refusal(lambda: source(google, header_row=9).open(LOCATIONS))
    assert error.sentence == (f"{sheet.name} has nothing in row 9, where its header is set to be.")
