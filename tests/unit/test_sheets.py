"""Google Sheets over real HTTP: tabs, cells, refusals, servers in trouble."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync_core import sources
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page, Sheet, Source
from sync_core.foundation.settings import Secret, Settings
from sync_core.sources import Opening
from tests.support.fakes import google as fake
from tests.support.fakes.google import DEMO, READER, Google
from tests.support.fakes.spreadsheets import Lazy, Row, Shown, Tab
from tests.support.sources import (
    FAST_RETRIES,
    LOCATIONS,
    NONE,
    SOON,
    all_rows,
    refusal,
    rows_of,
    source_setting,
)

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


def settings(google: Google, timeout: float = 5, **key: str) -> Settings:
    account = json.dumps({**google.service_account(), **key})
    return Settings(
        google_service_account_json=Secret(account),
        google_api_base_url=google.url,
        fetch_timeout=timeout,
    )


def source(google: Google, timeout: float = 5, **options: str | None) -> Source:
    return sources.open_source(
        source_setting("sheet", DEMO, **options),
        Opening(settings=settings(google, timeout), retry_policy=FAST_RETRIES),
    )


def opened(google: Google, timeout: float = 5, **options: str | None) -> Sheet:
    return source(google, timeout, **options).open(LOCATIONS)


def read(google: Google, timeout: float = 5) -> list[tuple[int, list[str]]]:
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


def test_numbers_are_asked_for_only_where_they_are_wanted(google: Google) -> None:
    read(google)
    assert google.asked("/values:batchGet") == 0


def test_a_sheet_is_read_with_few_requests(google: Google) -> None:
    list(opened(google).pages(frozenset({2, 3})))
    assert google.asked("/token") == 1
    assert google.asked("/v4/spreadsheets") == 4  # tabs, header, texts, numbers
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
    first, second = opened(google).pages(frozenset({0}))
    assert (first.rows, second.rows) == (range(2, 7), range(7, 50_002))
    assert [row for row in rows_of(second) if row[1] != [""]] == [(50_001, ["L50000"])]
    assert len(second.numbers[0]) == len(second.rows)


def test_pages_of_a_wide_tab_are_shorter(google: Google) -> None:
    header: Row = [f"Label {number}" for number in range(400)]
    wide = Lazy(lambda number: [f"L{number}"] if number else header, 2501)
    google.add(Tab("Locations", wide, columns=500))
    pages = list(opened(google).pages(NONE))
    assert [len(page.rows) for page in pages] == [1000, 1000, 500]
    assert {len(page.texts) for page in pages} == {400}


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


def test_a_sheet_is_tested_in_a_sentence(google: Google) -> None:
    assert sources.read_to_the_end(source(google), LOCATIONS) == (
        "The tab 'Locations' of 'Master data' can be read: 3 rows, 4 columns."
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


def test_a_tab_that_is_gone_names_those_there_are(google: Google) -> None:
    assert refusal(lambda: opened(google, tab="Clinics")).sentence == (
        "'Master data' has no tab 'Clinics'; it has 'Locations', 'Other'."
    )


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


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(fake.html(404), "sheet_not_found", id="404 as a page"),
        pytest.param(fake.status(fake.API_DISABLED), "google_api_disabled", id="switched off"),
        pytest.param(fake.status(fake.DRIVE_DISABLED), "google_api_disabled", id="not configured"),
        pytest.param(fake.status(fake.NOT_A_SHEET), "not_a_google_sheet", id="an Excel file"),
        pytest.param(fake.status(fake.NOT_SIGNED_IN), "google_refused_key", id="401"),
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


ACCOUNT = '{"type": "service_account", "client_email": "a@example.org", "token_uri": "x"'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("secret", "it is not JSON"),
        ('["secret"]', "it is not the key of a service account"),
        ('{"type": "authorized_user"}', "it is not the key of a service account"),
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

    start = "The key of the Google service account cannot be used: the file"
    assert sentence(missing) == f"{start} {missing} cannot be read (No such file or directory)."
    assert sentence(binary) == f"{start} {binary} is not text."


def test_no_key_at_all_is_a_sentence() -> None:
    nothing = sources.open_source(source_setting("sheet", DEMO), Opening(settings=Settings()))
    assert refusal(lambda: nothing.open(LOCATIONS)).sentence == "No Google service account is set."


# trouble

UNAVAILABLE = "Google Sheets could not be read:"
DAMAGED = "its answer is damaged"
TOO_LATE = "it does not answer in time"
TROUBLE = [
    pytest.param(fake.status(fake.UNAVAILABLE), "it answers 503", id="503"),
    pytest.param(fake.status(fake.error(408, "Timeout", "X")), "it answers 408", id="408"),
    pytest.param(fake.html(500), "it answers 500", id="500 as a page"),
    pytest.param(fake.html(403), "it answers 403", id="403 as a page"),
    pytest.param(
        lambda _: fake.Answer(500, b'{"error": "no"}'), "it answers 500", id="another error"
    ),
    pytest.param(fake.redirect("/elsewhere"), DAMAGED, id="a redirect"),
    pytest.param(fake.html(), DAMAGED, id="a page with 200"),
    pytest.param(fake.body(""), DAMAGED, id="nothing"),
    pytest.param(fake.body("[]"), DAMAGED, id="a list"),
    pytest.param(fake.broken_json, DAMAGED, id="broken JSON"),
    pytest.param(fake.not_gzip, DAMAGED, id="not gzip"),
    pytest.param(lambda _: fake.not_gzip(fake.Answer(503)), DAMAGED, id="503 and not gzip"),
    pytest.param(fake.cut, "its answer was cut off", id="cut body"),
    pytest.param(fake.reset, "it cannot be reached", id="reset"),
    pytest.param(fake.hang, TOO_LATE, id="hang"),
    pytest.param(fake.drip, TOO_LATE, id="drip"),
]


def limit(why: str) -> float:
    return SOON if why == TOO_LATE else 5


@pytest.mark.parametrize(("fault", "why"), TROUBLE)
def test_trouble_that_passes_is_waited_out(google: Google, fault: fake.Fault, why: str) -> None:
    google.fault("/values/", fault)
    assert len(read(google, limit(why))) == 4


@pytest.mark.parametrize(("fault", "why"), TROUBLE)
def test_trouble_that_stays_ends_in_a_sentence(google: Google, fault: fake.Fault, why: str) -> None:
    google.fault("/values/", fault, times=99)
    error = refusal(lambda: opened(google, limit(why)))
    assert error.sentence == f"{UNAVAILABLE} {why}."
    assert google.asked("/values/") == FAST_RETRIES.attempts


def test_metadata_without_tabs_is_damaged(google: Google) -> None:
    google.fault("/v4/", fake.body("{}"), times=99)
    assert refusal(lambda: opened(google)).sentence == f"{UNAVAILABLE} its answer is damaged."


@pytest.mark.parametrize("body", [fake.TOO_MANY, fake.DRIVE_TOO_MANY])
def test_a_spent_quota_is_waited_out_and_then_named(google: Google, body: fake.Json) -> None:
    google.fault("/values/", fake.status(body))
    assert len(read(google)) == 4
    google.fault("/values/", fake.status(body), times=99)
    assert refusal(lambda: opened(google)).sentence == (
        "Google lets us read no more for now: too many requests in a minute."
    )


NOBODY = "it signs nobody in"


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param(fake.html(), NOBODY, id="a page with 200"),
        pytest.param(fake.body(""), NOBODY, id="nothing"),
        pytest.param(fake.broken_json, NOBODY, id="broken JSON"),
        pytest.param(fake.reset, "it cannot be reached", id="reset"),
    ],
)
def test_trouble_with_signing_in_is_trouble_too(
    google: Google, fault: fake.Fault, why: str
) -> None:
    google.fault("/token", fault, fault)  # the first is Drive's, which is not asked again
    assert len(read(google)) == 4
    google.fault("/token", fault, times=99)
    assert refusal(lambda: opened(google)).sentence == f"{UNAVAILABLE} {why}."


def test_signing_in_has_a_time_limit(google: Google) -> None:
    google.fault("/token", fake.hang, times=99)
    assert refusal(lambda: opened(google, SOON)).sentence == f"{UNAVAILABLE} {TOO_LATE}."


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    with Google() as gone:
        closed = source(gone)
    error = refusal(lambda: closed.open(LOCATIONS))
    assert error.sentence == f"{UNAVAILABLE} it cannot be reached."


def test_a_wait_that_google_asks_for_is_announced(google: Google) -> None:
    told: list[str] = []
    google.fault("/values/", fake.status(fake.TOO_MANY, Retry_After="7200"))
    sources.open_source(
        source_setting("sheet", DEMO),
        Opening(settings=settings(google), on_wait=told.append, retry_policy=FAST_RETRIES),
    ).open(LOCATIONS)
    assert told == ["Google asks us to wait 0 s"]


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


@pytest.mark.parametrize(
    "fault", [fake.status(fake.DRIVE_DISABLED), fake.status(fake.NOT_FOUND), fake.hang, fake.html()]
)
def test_a_sheet_is_read_without_drive_too(google: Google, fault: fake.Fault) -> None:
    google.fault("/drive/", fault, times=99)
    sheet = opened(google, SOON)
    [page] = sheet.pages(NONE)
    assert len(page.rows) == 4
    assert page.cursor is None
    assert google.asked("/drive/") == 1
