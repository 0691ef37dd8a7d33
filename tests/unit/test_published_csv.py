"""CSV at an address: redirects, sign-in pages, servers in trouble."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import httpx2
import pytest

from sync_core import sources
from sync_core.catalogue.source import Source
from sync_core.foundation.settings import Settings
from sync_core.sources import Opening
from sync_core.sources.files.published_csv import PublishedCsvSource, may_follow
from sync_core.sources.retry import Retrier
from tests.support import bombs
from tests.support.fakes import google as fake
from tests.support.fakes.google import Google
from tests.support.fakes.spreadsheets import Lazy, Row, Tab, location
from tests.support.sources import (
    FAST_RETRIES,
    LOCATIONS,
    NONE,
    SOON,
    all_rows,
    refusal,
    source_setting,
)
from tests.support.workbooks import in_memory, workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as google:
        rows: list[Row] = [["Code", "Name", "Open"], ["L1", "Zoë's\nclinic", True], [], ["L2"]]
        google.add(Tab("Locations", rows), Tab("Second", [["x"]], gid=7)).public = True
        yield google


def published(
    address: str, timeout: float = 60, on_wait: Callable[[str], None] = lambda _: None
) -> Source:
    settings = Settings(fetch_timeout=timeout, private_hosts=("127.0.0.1",))
    return sources.open_source(
        source_setting("csv", address),
        Opening(settings=settings, on_wait=on_wait, retry_policy=FAST_RETRIES),
    )


def test_a_sheet_exported_as_csv_is_read(google: Google) -> None:
    sheet = published(google.export_url()).open(LOCATIONS)
    assert sheet.headers == ["Code", "Name", "Open"]
    assert all_rows(sheet) == [
        (2, ["L1", "Zoë's\nclinic", "TRUE"]),
        (3, ["", "", ""]),
        (4, ["L2", "", ""]),
    ]
    assert next(sheet.pages(NONE)).cursor is None
    assert google.asked("/exported/") == 1


def test_a_large_export_is_read_in_pages(google: Google) -> None:
    google.add(Tab("Locations", Lazy(location, 30_001))).public = True
    sheet = published(google.export_url()).open(LOCATIONS)
    assert sum(len(page.rows) for page in sheet.pages(NONE)) == 30_000


@pytest.mark.parametrize("media_type", [XLSX, "application/octet-stream", "text/csv"])
def test_a_workbook_at_an_address_is_read_whatever_it_is_called(
    google: Google, media_type: str
) -> None:
    content = in_memory(workbook(["Code", "Opened"], ["L1", date(2026, 3, 9)]))
    google.fault("/exported/", fake.body(content, media_type))
    sheet = published(google.export_url()).open(LOCATIONS)
    assert sheet.name == "The tab 'Locations' of the workbook at 127.0.0.1"
    assert all_rows(sheet) == [(2, ["L1", "2026-03-09"])]


def test_what_has_arrived_is_told_while_the_rest_is_on_its_way(google: Google) -> None:
    google.add(Tab("Locations", Lazy(location, 30_001))).public = True
    told: list[tuple[int, int | None]] = []
    csv = source_setting("csv", google.export_url())
    settings = Settings(fetch_timeout=60, private_hosts=("127.0.0.1",))
    source = sources.open_source(
        csv, Opening(settings=settings, on_bytes=lambda *news: told.append(news))
    )
    sheet = source.open(LOCATIONS)
    assert [read for read, _ in told] == sorted({read for read, _ in told})
    assert len(told) > 1
    assert told[-1][0] == sheet.total
    assert {whole for _, whole in told} <= {None, sheet.total}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fake.redirect("https://accounts.google.com/ServiceLogin"), id="a redirect"),
        pytest.param(fake.html(200, fake.SIGN_IN_PAGE), id="the sign-in page with 200"),
        pytest.param(fake.html(401), id="401"),
        pytest.param(fake.html(403), id="403"),
    ],
)
def test_a_sheet_that_is_not_shared_is_named(google: Google, fault: fake.Fault) -> None:
    google.fault("/export", fault)
    error = refusal(lambda: published(google.export_url()).open(LOCATIONS))
    assert error.code == "sheet_not_shared"
    assert error.sentence == "The Google Sheet is not shared with everyone who has the link."
    assert google.asked("/export") == 1


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (fake.html(404), "The CSV at 127.0.0.1 is not there: the server answers 404."),
        (fake.html(400), "The CSV at 127.0.0.1 is not there: the server answers 400."),
        (
            fake.redirect("https://elsewhere.example.org/x"),
            "The CSV at 127.0.0.1 sends us on to elsewhere.example.org, which we do not follow.",
        ),
        (
            fake.body("{}", "application/json"),
            "The CSV at 127.0.0.1 is 'application/json' instead of CSV.",
        ),
        (fake.body("", "text/csv"), "The CSV at 127.0.0.1 is empty: it has no header row."),
        (
            fake.body("<html>", "text/csv"),
            "The CSV at 127.0.0.1 is a web page instead of CSV.",
        ),
        (
            fake.body(b"A\n\xff\n", "text/csv"),
            "The CSV at 127.0.0.1 is not in UTF-8: row 2 holds the byte 0xFF.",
        ),
    ],
)
def test_what_will_not_get_better_is_refused_at_once(
    google: Google, fault: fake.Fault, sentence: str
) -> None:
    google.fault("/export", fault)
    error = refusal(lambda: all_rows(published(google.export_url()).open(LOCATIONS)))
    assert error.sentence == sentence
    assert google.asked("/export") == 1


@pytest.mark.parametrize(
    "media_type",
    [
        "text/x-csv",
        "application/x-csv",
        "text/comma-separated-values",
        "application/force-download",
        "application/x-download; charset=binary",
        "Application/Vnd.MS-Excel",
        "attachment/csv",
        "application/csv",
        "application/download",
        "binary/octet-stream",
        "text/plain; charset=us-ascii",
        "csv",
        "",
    ],
)
def test_a_csv_is_read_by_whatever_name_a_server_sends_it(google: Google, media_type: str) -> None:
    google.fault("/any.csv", fake.body("Code,Name\nL1,North\n", media_type))
    sheet = published(f"{google.url}/any.csv").open(LOCATIONS)
    assert all_rows(sheet) == [(2, ["L1", "North"])]


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/csv; charset=windows-1252", "cp1252"),
        ('text/x-csv; header=present; charset="ISO-8859-1"', "cp1252"),
        ("application/octet-stream; charset=utf-16le", "utf-16-le"),
        ("text/csv; charset=iso-8859-1", "utf-8"),  # a default of the server's; the file tells
        ("text/csv; charset=no-such", "utf-8"),
        ("text/csv", "utf-16"),
    ],
)
def test_the_charset_that_a_server_declares_is_believed(
    google: Google, content_type: str, encoding: str
) -> None:
    google.fault("/any.csv", fake.body("Code,Name\nL1,Café €\n".encode(encoding), content_type))
    sheet = published(f"{google.url}/any.csv").open(LOCATIONS)
    assert all_rows(sheet) == [(2, ["L1", "Café €"])]


def test_a_body_that_is_not_in_its_declared_charset_is_refused(google: Google) -> None:
    google.fault("/any.csv", fake.body(b"Code\n\n\x81\n", "text/csv; charset=windows-1252"))
    error = refusal(lambda: published(f"{google.url}/any.csv").open(LOCATIONS))
    assert error.sentence == (
        "The CSV at 127.0.0.1 is not in CP1252, though it says so: line 3 holds something else."
    )


@pytest.mark.parametrize(
    "media_type", ["application/problem+json", "image/png", "text/xml", "application/pdf"]
)
def test_a_body_that_says_it_is_something_else_is_believed(google: Google, media_type: str) -> None:
    google.fault("/any.csv", fake.body("Code,Name\nL1,North\n", media_type))
    error = refusal(lambda: published(f"{google.url}/any.csv").open(LOCATIONS))
    assert error.sentence == f"The CSV at 127.0.0.1 is '{media_type}' instead of CSV."


def packed(content: bytes, encoding: str = "gzip") -> fake.Fault:
    headers = (("Content-Encoding", encoding),)
    return lambda answer: replace(fake.body(content, "text/csv")(answer), headers=headers)


def test_a_packed_body_is_unpacked(google: Google) -> None:
    rows = "Code,Name\n" + "".join(f"L{n},Clinic {n}\n" for n in range(200_000))
    google.fault("/any.csv", packed(gzip.compress(rows.encode())))
    sheet = published(f"{google.url}/any.csv").open(LOCATIONS)
    assert sheet.total == len(rows)
    assert all_rows(sheet)[-1] == (200_001, ["L199999", "Clinic 199999"])


def test_a_body_is_limited_by_what_it_unpacks_to(google: Google) -> None:
    bomb = gzip.decompress(bombs.packed_twice(200, b"Code,Name\n"))
    assert len(bomb) < 300_000
    google.fault("/bomb.csv", packed(bomb))
    with bombs.at_most(20):
        assert refusal(lambda: small(google, "bomb.csv").open(LOCATIONS)).sentence == (
            "The CSV at 127.0.0.1 is larger than 1 MB."
        )


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br"])
def test_a_body_packed_as_nobody_asked_for_is_refused(google: Google, encoding: str) -> None:
    google.fault("/any.csv", packed(gzip.compress(gzip.compress(b"Code\nL1\n")), encoding))
    error = refusal(lambda: published(f"{google.url}/any.csv").open(LOCATIONS))
    assert error.sentence == f"The CSV at 127.0.0.1 is packed as '{encoding}' instead of CSV."


def test_a_packed_body_that_ends_early_is_damaged(google: Google) -> None:
    google.fault("/any.csv", packed(gzip.compress(b"Code\nL1\n")[:-9]), times=99)
    error = refusal(lambda: published(f"{google.url}/any.csv").open(LOCATIONS))
    assert error.sentence == f"The CSV at 127.0.0.1 could not be fetched: {DAMAGED}."


def test_a_web_page_at_another_address_is_html_instead_of_csv(google: Google) -> None:
    google.fault("/page", fake.html())
    error = refusal(lambda: published(f"{google.url}/page").open(LOCATIONS))
    assert error.code == "html_instead_of_csv"


def test_a_server_that_refuses_is_named(google: Google) -> None:
    google.fault("/private.csv", fake.html(403))
    error = refusal(lambda: published(f"{google.url}/private.csv").open(LOCATIONS))
    assert error.sentence == "The CSV at 127.0.0.1 may not be read: the server answers 403."


DAMAGED = "the answer came cut off or damaged"
NOWHERE = "it is redirected to what is no address"
TROUBLE = [
    pytest.param(fake.html(503), 5, "the server answers 503", id="503"),
    pytest.param(fake.html(429), 5, "the server answers 429", id="429"),
    pytest.param(fake.reset, 5, DAMAGED, id="reset"),
    pytest.param(fake.cut, 5, DAMAGED, id="cut body"),
    pytest.param(fake.not_gzip, 5, DAMAGED, id="not gzip"),
    pytest.param(fake.redirect("http://x:port/"), 5, NOWHERE, id="no address"),
    pytest.param(fake.hang, 4 * SOON, "the server did not answer within 0.4 s", id="hang"),
    pytest.param(fake.drip, 4 * SOON, "the server did not answer within 0.4 s", id="drip"),
]


@pytest.mark.parametrize(("fault", "timeout", "why"), TROUBLE)
def test_trouble_that_passes_is_waited_out(
    google: Google, fault: fake.Fault, timeout: float, why: str
) -> None:
    google.fault("/exported/", fault)
    told: list[str] = []
    source = published(google.export_url(), timeout, told.append)
    assert len(all_rows(source.open(LOCATIONS))) == 3, why
    assert told == [f"The CSV at 127.0.0.1 could not be fetched: {why}. Trying again in 0 s"]


@pytest.mark.parametrize(("fault", "timeout", "why"), TROUBLE)
def test_trouble_that_stays_ends_in_a_sentence(
    google: Google, fault: fake.Fault, timeout: float, why: str
) -> None:
    google.fault("/exported/", fault, times=99)
    error = refusal(lambda: published(google.export_url(), timeout).open(LOCATIONS))
    assert error.sentence == f"The CSV at 127.0.0.1 could not be fetched: {why}."
    assert error.entry.retry
    patience = FAST_RETRIES.outage_attempts if error.entry.outage else FAST_RETRIES.attempts
    assert google.asked("/exported/") == patience


def test_a_wait_that_the_server_asks_for_is_announced(google: Google) -> None:
    told: list[str] = []
    google.fault("/exported/", fake.status(fake.UNAVAILABLE, Retry_After="7200"))
    published(google.export_url(), on_wait=told.append).open(LOCATIONS)
    assert told == ["The server of the CSV asks us to wait 7200 s. Trying again in 0 s"]


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    with Google() as gone:
        address = f"{gone.url}/x.csv"
    error = refusal(lambda: published(address).open(LOCATIONS))
    assert error.sentence == (
        "The CSV at 127.0.0.1 could not be fetched: the server cannot be reached."
    )


def test_redirects_in_a_circle_end(google: Google) -> None:
    google.fault("/export", fake.redirect(google.export_url()), times=99)
    error = refusal(lambda: published(google.export_url()).open(LOCATIONS))
    assert error.sentence == (
        "The CSV at 127.0.0.1 could not be fetched: it is redirected again and again."
    )


@pytest.mark.parametrize(
    ("start", "target", "may"),
    [
        ("https://docs.google.com/x", "https://doc-04.googleusercontent.com/y", True),
        ("https://data.example.org/x", "https://data.example.org/y", True),
        ("https://data.example.org/x", "https://docs.google.com/y", True),
        ("https://data.example.org/x", "http://data.example.org/y", False),
        ("https://docs.google.com/x", "https://googleusercontent.com.example.org/y", False),
        ("https://docs.google.com/x", "http://127.0.0.1/y", False),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:2/y", True),
        ("http://127.0.0.1:1/x", "http://localhost:2/y", False),
        ("http://127.0.0.1:1/x", "https://docs.google.com/y", False),
    ],
)
def test_only_known_servers_are_followed(start: str, target: str, may: bool) -> None:  # noqa: FBT001 - a table
    assert may_follow(httpx2.URL(start), httpx2.URL(target)) is may


def small(google: Google, path: str) -> PublishedCsvSource:
    retrier = Retrier("The server", FAST_RETRIES, lambda _: None)
    return PublishedCsvSource(
        source_setting("csv", f"{google.url}/{path}"),
        5,
        retrier,
        named=["127.0.0.1"],
        largest=1_048_576,
    )


def test_a_body_above_the_limit_is_refused(google: Google) -> None:
    google.fault("/big.csv", fake.body(b"x" * 2_000_000, "text/csv"))
    assert refusal(lambda: small(google, "big.csv").open(LOCATIONS)).sentence == (
        "The CSV at 127.0.0.1 is larger than 1 MB."
    )
