from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pytest

from sync_core.catalogue.cell_address import letters
from sync_core.catalogue.fields import Email, Phone, Text
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.engine import headers
from sync_core.foundation.errors import SyncError

CLINICS = Entity(
    name="clinics",
    title="Clinics",
    fields=(
        Text("Clinic code", key=True),
        Text("Name", required=True),
        Email("Email", aliases=("E-mail",)),
        Phone("Phone"),
    ),
)


@dataclass
class Header:
    headers: tuple[str, ...]
    title: str = "Clinics"
    name: str = "Clinics"
    header_row: int = 1
    version: None = None
    notes: tuple[str, ...] = ()
    locale: str | None = None
    total: int | None = None
    unit: Literal["rows", "bytes"] = "rows"

    def pages(self, numbers: frozenset[int], cursor: object = None) -> Iterator[Page]:
        raise AssertionError((numbers, cursor))

    def link(self, row: int, column: int) -> str | None:
        raise AssertionError((row, column))


def match(*cells: str) -> headers.Columns:
    return headers.match(CLINICS, Header(cells))


def refusal(*cells: str) -> str:
    with pytest.raises(SyncError) as caught:
        match(*cells)
    return caught.value.sentence


def test_columns_are_found_in_any_order_case_and_spacing() -> None:
    columns = match("\ufeffphone", " NAME\u200b", "clinic\u00a0\n code", "\u200eEmail")
    assert {field.label: index for field, index in columns.fields} == {
        "Clinic code": 2,
        "Name": 1,
        "Email": 3,
        "Phone": 0,
    }


def test_an_alias_stands_for_a_label() -> None:
    assert match("Clinic code", "Name", "E-mail", "Phone").notes == ()


def test_a_column_that_is_unlike_is_not_suggested_though_it_is_left_over() -> None:
    assert refusal("Clinic code", "Name", "Email", "Opened") == "Column 'Phone' is missing."


@pytest.mark.parametrize(
    ("label", "other"),
    [
        ("Rate", "Date"),
        ("Email", "Mobile"),
        ("City", "Capacity"),
        ("State", "Status"),
        ("Phone", "Opened"),
        ("Name", "Last name"),
        ("Code", "Mode"),
        ("Country", "County code"),
    ],
)
def test_words_that_share_letters_are_not_alike(label: str, other: str) -> None:
    assert suggested(label, other) == f"Column '{label}' is missing."


@pytest.mark.parametrize(
    ("label", "other"),
    [
        ("Postcode", "Post code"),
        ("Email", "Emial"),
        ("Phone", "Phones"),
        ("Address", "Adress"),
        ("Clinic code", "Clinik code"),
        ("Latitude", "Lattitude"),
        ("Opened on", "Opend on"),
    ],
)
def test_words_that_differ_in_a_letter_are_alike(label: str, other: str) -> None:
    assert suggested(label, other) == f"Column '{label}' is missing. Did you mean '{other}'?"


def suggested(label: str, other: str) -> str:
    entity = Entity(name="things", title="Things", fields=(Text("Key", key=True), Text(label)))
    with pytest.raises(SyncError) as caught:
        headers.match(entity, Header(("Key", other)))
    return caught.value.sentence


def test_a_missing_column_is_named_with_one_that_looks_like_it() -> None:
    assert refusal("Clinic code", "Names", "Email", "Phone", "Notes") == (
        "Column 'Name' is missing. Did you mean 'Names'?"
    )


def test_all_missing_columns_are_named_at_once() -> None:
    assert refusal("Clinic code", "Name") == (
        "Column 'Email' is missing. Column 'Phone' is missing."
    )


def test_a_repeated_column_is_named_with_both_cells() -> None:
    assert refusal("Clinic code", "Name", "Email", "Phone", "Notes", "name") == (
        "Column 'Name' is there twice: Clinics!B1 and Clinics!F1."
    )


def test_a_label_and_its_alias_side_by_side_are_not_a_repetition() -> None:
    columns = match("Clinic code", "Name", "Email", "E-mail", "Phone")
    assert dict(columns.fields)[CLINICS.fields[2]] == 2
    assert columns.notes == ("Clinics: 1 unknown column was ignored: 'E-mail'.",)


def test_unknown_and_blank_headers_are_ignored_with_a_note() -> None:
    columns = match("Clinic code", "Name", "", "Email", "Phone", "Notes", "Notes", " ")
    assert columns.notes == (
        "Clinics: 2 unknown columns were ignored: 'Notes', 'Notes'.",
        "Clinics: 2 columns without a header were ignored.",
    )


@pytest.mark.parametrize(
    ("column", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_named_as_spreadsheets_do(column: int, name: str) -> None:
    assert letters(column) == name


def test_the_note_of_many_unknown_columns_names_twenty_of_them() -> None:
    extra = [f"Extra {number}" for number in range(1, 601)]
    (note,) = match("Clinic code", "Name", "Email", "Phone", *extra).notes
    assert note.startswith("Clinics: 600 unknown columns were ignored: 'Extra 1', 'Extra 2',")
    assert note.endswith("'Extra 20' and 580 more.")


def test_a_long_header_is_not_quoted_whole() -> None:
    (note,) = match("Clinic code", "Name", "Email", "Phone", "x" * 5000).notes
    assert len(note) < 100


def test_where_its_cells_are_hidden_what_is_no_header_is_not_quoted() -> None:
    name = CLINICS.fields[0]
    secret = Entity(name="clinics", title="Clinics", fields=(name, Text("Pay", sensitive=True)))
    for entity, wrong in ((CLINICS, "its row 1 begins with 'Jo'"), (secret, "holds none of its")):
        with pytest.raises(SyncError) as caught:
            headers.match(entity, Header(("Jo", "95")))
        assert caught.value.code == "no_label"
        assert wrong in caught.value.sentence
    with pytest.raises(SyncError) as caught:
        headers.match(secret, Header(("Clinic code;Pay",)))
    assert caught.value.sentence == "The header in row 1 of clinics is not split into cells."
