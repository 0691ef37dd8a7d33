"""CSV as programs really write it: separators, titles, charsets, line ends; and what is none."""

import csv
import io
import resource
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.catalogue.resources.locations import LOCATIONS
from sync_core.foundation.errors import CATALOGUE, SyncError
from sync_core.sources.files.csv_rows import CsvSheet, open_csv
from tests.support.sources import NONE, all_rows, refusal, rows_of

(ENTITY,) = LOCATIONS.entities
LABELS = [field.label for field in ENTITY.fields]
SEPARATORS = [",", ";", "\t", "|"]
ROW = ["L01", "Zoë, north; south | west", *[""] * 10]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


def opened(folder: Path, content: str | bytes, charset: str | None = None) -> CsvSheet:
    (folder / "any.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return open_csv((folder / "any.csv").open("rb"), ENTITY, name="It", charset=charset)


def written(*rows: list[str], separator: str = ",", end: str = "\n") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue()


def note(row: int) -> list[str]:
    return [f"Locations: the header was found in row {row}; the rows above it were left out."]


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_separator_is_the_one_that_parts_the_header(
    scratch: Path, separator: str, end: str
) -> None:
    sheet = opened(scratch, written(LABELS, ROW, separator=separator, end=end))
    assert (list(sheet.headers), sheet.notes) == (LABELS, [])
    assert all_rows(sheet) == [(2, ROW)]


@pytest.mark.parametrize("separator", SEPARATORS)
def test_other_separators_in_the_labels_do_not_matter(scratch: Path, separator: str) -> None:
    header = [*LABELS, "Remarks, if any; or none | and more"]
    sheet = opened(scratch, written(header, [*ROW, "x"], separator=separator))
    assert list(sheet.headers) == header


@pytest.mark.parametrize(
    "line", ["sep=;\r\n", "SEP=;\n", '"sep=;"\n', "sep=;;;;;;\n", "sep=;\r", "\ufeffsep=;\n"]
)
def test_a_first_line_may_name_the_separator(scratch: Path, line: str) -> None:
    end = line[len(line.rstrip("\r\n")) :]
    sheet = opened(scratch, line + written(LABELS, ROW, separator=";", end=end))
    assert (list(sheet.headers), sheet.header_row, sheet.notes) == (LABELS, 2, [])
    assert all_rows(sheet) == [(3, ROW)]


def test_a_first_line_may_name_a_separator_that_nobody_would_guess(scratch: Path) -> None:
    sheet = opened(scratch, "sep=^\n" + written(LABELS, ROW, separator="^"))
    assert all_rows(sheet) == [(3, ROW)]


def test_a_first_line_that_names_the_wrong_separator_is_not_believed(scratch: Path) -> None:
    sheet = opened(scratch, "sep=,\n" + written(LABELS, ROW, separator=";"))
    assert all_rows(sheet) == [(3, ROW)]


@pytest.mark.parametrize(
    ("above", "row"),
    [
        ("\n", 2),
        ("\r\n  \r\n", 3),
        (",,,,,\n", 2),
        ("Clinics, 2026\n", 2),
        ("# exported by Ana; on 2026-11-20\n#\n", 3),
        ('The "best" clinics\n', 2),
        ('"Clinics\nof the group",,,\n\n', 3),
        ('"Clinics, not closed\n', 2),
        ("Where,,,,,,Contact,,,,,\n", 2),
        ("sep=,\nClinics\n", 3),
    ],
)
def test_what_stands_above_the_header_is_left_out_and_told(
    scratch: Path, above: str, row: int
) -> None:
    sheet = opened(scratch, above + written(LABELS, ROW))
    assert (list(sheet.headers), sheet.header_row, sheet.notes) == (LABELS, row, note(row))
    assert all_rows(sheet) == [(row + 1, ROW)]


def test_where_the_header_row_is_set_nothing_is_searched(scratch: Path) -> None:
    content = written(LABELS, ["Code", "Title"], ROW, separator=";")
    (scratch / "any.csv").write_text(content)

    def at(row: int) -> CsvSheet:
        return open_csv((scratch / "any.csv").open("rb"), ENTITY, name="It", header_row=row)

    assert (list(at(2).headers), at(2).header_row, at(2).notes) == (["Code", "Title"], 2, [])
    assert all_rows(at(1))[0][0] == 2
    for row in (4, 900):
        assert refusal(partial(at, row)).sentence == (
            f"It has nothing in row {row}, where its header is set to be."
        )


def test_without_known_labels_the_first_row_with_anything_is_the_header(scratch: Path) -> None:
    sheet = opened(scratch, "\n\nCode;Name\nL1;x\n")
    assert (list(sheet.headers), sheet.header_row) == (["Code", "Name"], 3)


@pytest.mark.parametrize("content", ["\n" * 100_000, ",,,\n,,,\n", '""\n'])
def test_a_file_of_blank_rows_is_empty(scratch: Path, content: str) -> None:
    assert refusal(lambda: opened(scratch, content)).code == "empty_file"


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", ["\t", ";"])
def test_utf16_is_read_by_its_mark(scratch: Path, charset: str, separator: str) -> None:
    mark = "" if charset == "utf-16" else "\ufeff"
    content = (mark + written(LABELS, *[ROW] * 100_000, separator=separator)).encode(charset)
    sheet = opened(scratch, content)
    pages = list(sheet.pages(NONE))
    assert rows_of(pages[-1])[-1] == (100_001, ROW)
    assert pages[-1].done == sheet.total


def test_a_copy_is_read_on_after_a_cursor_and_refused_after_a_change(scratch: Path) -> None:
    path = scratch / "utf16.csv"
    path.write_bytes(written(LABELS, *[ROW] * 150_000).encode("utf-16"))

    def again() -> CsvSheet:
        return open_csv(path.open("rb"), ENTITY, name="It", lasting=True)

    first, *rest = again().pages(NONE)
    assert [row for page in again().pages(NONE, first.cursor) for row in page.rows] == [
        row for page in rest for row in page.rows
    ]
    sheet = again()
    path.write_bytes(written(LABELS, ROW).encode("utf-16"))
    assert refusal(lambda: list(sheet.pages(NONE))).code == "source_changed_while_reading"


@pytest.mark.parametrize("content", [b"\xff\xfeA\0\n", b"\xfe\xff\0A\0\n\xd8\0\0A"])
def test_utf16_that_is_damaged_is_refused(scratch: Path, content: bytes) -> None:
    error = refusal(lambda: all_rows(opened(scratch, content)))
    assert error.sentence.startswith("It is not in UTF-16, though it says so: line ")


@pytest.mark.parametrize("charset", ["utf-32", "utf-32-be"])
def test_utf32_is_named(scratch: Path, charset: str) -> None:
    content = ("" if charset == "utf-32" else "\ufeff") + written(LABELS, ROW)
    error = refusal(lambda: opened(scratch, content.encode(charset)))
    assert error.sentence == "It is not in UTF-8: it is UTF-32."


@pytest.mark.parametrize(
    ("charset", "encoding", "text"),
    [
        ("windows-1252", "cp1252", "Café € ä"),
        ("ISO-8859-1", "cp1252", "Café € ä"),
        ("iso-8859-2", "iso-8859-2", "Łódź"),
        ("windows-1251", "cp1251", "Москва"),
        ("Shift_JIS", "shift_jis", "東京"),
        ("iso-2022-jp", "iso-2022-jp", "東京"),
        ("utf-16le", "utf-16-le", "Zoë"),
        ("ISO-8859-1", "utf-8", "Zoë"),  # a server's default, and a file that knows better
        ("utf8", "utf-8", "Zoë"),
        ("none-of-this-name", "utf-8", "Zoë"),
        ("base64", "utf-8", "Zoë"),
        ("unicode_escape", "utf-8", "\\x41"),
        ("us-ascii", "ascii", "plain"),
    ],
)
def test_the_charset_that_a_server_declares_is_believed(
    scratch: Path, charset: str, encoding: str, text: str
) -> None:
    row = ["L01", text, *[""] * 10]
    sheet = opened(scratch, written(LABELS, row).encode(encoding), charset)
    assert all_rows(sheet) == [(2, row)]


def test_a_charset_that_does_not_fit_is_refused_with_its_line(scratch: Path) -> None:
    content = written(LABELS, ROW).encode() + b"L02,\x81\n"
    error = refusal(lambda: opened(scratch, content, "windows-1252"))
    assert error.sentence.startswith("It is not in CP1252, though it says so: line ")


def test_an_open_quote_in_a_file_of_lone_returns_is_told(scratch: Path) -> None:
    narrow = 'Location code,Name\rL01,"North" Perth\rL02,South\r'
    error = refusal(lambda: all_rows(opened(scratch, narrow)))
    assert (
        error.sentence == "It cannot be read: a quote that opens in row 2 is not closed properly."
    )
    error = refusal(lambda: all_rows(opened(scratch, narrow[:29])))
    assert error.code == "unclosed_quote"


def test_a_header_whose_quote_is_open_is_told(scratch: Path) -> None:
    content = "\n" + written(LABELS).replace("Name", '"Name') + written(ROW)
    error = refusal(lambda: opened(scratch, content))
    assert (
        error.sentence == "It cannot be read: a quote that opens in row 2 is not closed properly."
    )


def test_a_header_of_too_many_columns_is_told(scratch: Path) -> None:
    assert len(opened(scratch, written([*LABELS, *[""] * 16_372])).headers) == 16_384
    error = refusal(lambda: opened(scratch, written([*LABELS, *[""] * 16_373])))
    assert error.sentence == "It is not read: a row has more than 16,384 cells."


def test_a_header_longer_than_usual_is_read(scratch: Path) -> None:
    long = [*LABELS, *(f"Column {number} {'x' * 90}" for number in range(2_000))]
    assert list(opened(scratch, written(long)).headers) == long


def test_blank_lines_stay_small_in_memory(scratch: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sheet = opened(scratch, written(LABELS, ROW) + "\n" * 8 * 2**20)
    assert sum(len(page.rows) for page in sheet.pages(NONE)) == 8 * 2**20 + 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 2**10  # kB


HEADERS = st.sampled_from(["", written(LABELS), written(LABELS, separator=";"), "Name\n", "\ufeff"])
BITS = st.sampled_from(
    [*",;\t|\"'\r\n\\ \0\x1aé", '""', '",', ',"', "\r\n", "sep=;", "L1,", "\x80", "\ufeff", *LABELS]
)


@given(
    HEADERS,
    st.lists(BITS, max_size=60).map("".join) | st.text(max_size=60),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-7", "cp437"]),
    st.binary(max_size=6),
    st.sampled_from([None, "cp1252", "utf-16", "shift_jis", "utf-7", "hz", "x"]),
    st.integers(1, 50),
)
def test_whatever_is_in_a_file_its_rows_are_read_or_a_sentence_says_why_not(
    scratch: Path,
    header: str,
    body: str,
    encoding: str,
    tail: bytes,
    charset: str | None,
    block: int,
) -> None:
    (scratch / "any.csv").write_bytes((header + body).encode(encoding, "replace") + tail)
    _read_or_refused(scratch, charset, block)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_read_or_refused(scratch: Path, content: bytes, block: int) -> None:
    (scratch / "any.csv").write_bytes(content)
    _read_or_refused(scratch, None, block)


def _read_or_refused(folder: Path, charset: str | None, block: int) -> None:
    file = (folder / "any.csv").open("rb")
    try:
        sheet = open_csv(file, ENTITY, name="It", charset=charset, block=block)
        numbers = [row for page in sheet.pages(NONE) for row, _ in rows_of(page)]
    except SyncError as error:
        said = error
    else:
        assert numbers == list(range(sheet.header_row + 1, sheet.header_row + 1 + len(numbers)))
        return
    assert said.code in CATALOGUE
    assert said.sentence.startswith("It ")
