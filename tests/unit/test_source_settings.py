"""What a person types as a source, and how a source is named."""

import pytest

from sync_core.sources import Location, parse_location, source_link, source_name
from tests.support.sources import refusal, source_setting

ID = "1Demo_Spreadsheet-0123456789abcdefghijklmnop"
SHEET = f"https://docs.google.com/spreadsheets/d/{ID}"
PUBLISHED = "https://docs.google.com/spreadsheets/d/e/2PACX-1vDemo-0123456789/pub"
FROM_THE_OWN = (
    "the path begins in the organization's own folder and does not leave it; write for example"
    " folder:clinics, or folder:. for the whole folder"
)


@pytest.mark.parametrize(
    ("text", "location"),
    [
        (ID, Location("sheet", ID)),
        (f" {SHEET}/edit?usp=sharing \n", Location("sheet", ID)),
        (f"{SHEET}/edit#gid=418", Location("sheet", ID, "418")),
        (f"{SHEET}/edit?gid=0#gid=0", Location("sheet", ID, "0")),
        (f"{SHEET}/edit?gid=7", Location("sheet", ID, "7")),
        (SHEET, Location("sheet", ID)),
        (SHEET.replace("spreadsheets/d", "spreadsheets/u/1/d"), Location("sheet", ID)),
        (SHEET.replace("spreadsheets", "a/example.org/spreadsheets"), Location("sheet", ID)),
        (f"{SHEET}/export?format=csv&gid=7", Location("csv", f"{SHEET}/export?format=csv&gid=7")),
        (f"{PUBLISHED}?output=csv", Location("csv", f"{PUBLISHED}?output=csv")),
        ("HTTPS://data.example.org/a.csv", Location("csv", "HTTPS://data.example.org/a.csv")),
        ("http://127.0.0.1:8000/a.csv", Location("csv", "http://127.0.0.1:8000/a.csv")),
        ("folder:clinics", Location("folder", "clinics")),
        ("Folder: demo data", Location("folder", "demo data")),
        ("folder:clinics//./north/", Location("folder", "clinics/north")),
        ("folder:.", Location("folder", ".")),
        ("cliniko", Location("cliniko", "cliniko")),
        (" Cliniko\n", Location("cliniko", "cliniko")),
    ],
)
def test_what_a_person_types_is_understood(text: str, location: Location) -> None:
    assert parse_location(text) == location


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has the form of none"),
        ("./demo", "it has the form of none"),
        ("folder:", "the path of the folder is missing"),
        ("folder:" + "a/" * 21, "the path leads through more than 20 folders"),
        ("folder:/srv/sheets", FROM_THE_OWN),
        ("folder:~/x", FROM_THE_OWN),
        ("folder:clinics/../../other", FROM_THE_OWN),
        ("https://", "the address names no server"),
        ("https://[::1", "the address is not valid"),
        ("https://xn--/", "the address is not valid"),
        ("http://data.example.org/a.csv", "the address must begin with https://"),
        ("http://localhost/a.csv", "the address must begin with https://"),  # is not named
        (
            f"{SHEET}/gviz/tq?tqx=out:csv",
            "this kind of export blanks cells, take the address of the sheet itself",
        ),
    ],
)
def test_what_is_no_source_is_refused_in_a_sentence(text: str, why: str) -> None:
    error = refusal(lambda: parse_location(text))
    assert error.code == "bad_location"
    assert error.sentence == f"'{text}' is not a source: {why}."


def test_a_refusal_prints_neither_a_password_nor_what_cannot_be_printed() -> None:
    address = "https://ana:secret@data.example.org/a.csv"
    assert refusal(lambda: parse_location(address)).sentence == (
        "'https://***@data.example.org/a.csv' is not a source: an address must not hold a password."
    )
    assert refusal(lambda: parse_location("folder:\0")).sentence == (
        r"'folder:\x00' is not a source: it holds an unprintable character."
    )


def test_a_source_has_a_name_and_an_address_for_people() -> None:
    by_gid, by_title = (
        source_setting("sheet", ID, tab="418"),
        source_setting("sheet", ID, tab="Locations"),
    )
    assert source_name(by_title) == "Google Sheet 1Dem…mnop, tab Locations"
    assert source_name(source_setting("sheet", ID)) == "Google Sheet 1Dem…mnop"
    assert source_link(by_gid, may_set=False) == f"{SHEET}/edit#gid=418"
    assert source_link(by_title, may_set=False) == f"{SHEET}/edit"
    published = source_setting("csv", f"{PUBLISHED}?output=csv")
    assert source_name(published) == "CSV at docs.google.com"
    assert source_link(published, may_set=True) == f"{PUBLISHED}?output=csv"
    assert source_link(published, may_set=False) is None
    folder = source_setting("folder", "sheets")
    assert source_name(folder) == "folder sheets"
    assert source_link(folder, may_set=True) is None
    cliniko = source_setting("cliniko", "cliniko")
    assert (source_name(cliniko), source_link(cliniko, may_set=True)) == ("Cliniko", None)
