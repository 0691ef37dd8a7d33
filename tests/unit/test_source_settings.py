"""What a person types as a source, and how a source is named."""

from pathlib import Path

import pytest

from sync_core.sources import Location, parse_location, source_link, source_name
from tests.support.sources import refusal, source_setting

ID = "1Demo_Spreadsheet-0123456789abcdefghijklmnop"
SHEET = f"https://docs.google.com/spreadsheets/d/{ID}"
PUBLISHED = "https://docs.google.com/spreadsheets/d/e/2PACX-1vDemo-0123456789/pub"
HERE = Path("/clinic data")


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
        ("http://localhost/a.csv", Location("csv", "http://localhost/a.csv")),
        ("http://[::1]:80/a.csv", Location("csv", "http://[::1]:80/a.csv")),
        ("folder:/srv/sheets", Location("folder", "/srv/sheets")),
        ("folder:demo", Location("folder", "/clinic data/demo")),
        ("Folder: demo data", Location("folder", "/clinic data/demo data")),
        ("folder:.", Location("folder", "/clinic data")),
        ("cliniko", Location("cliniko", "cliniko")),
        (" Cliniko\n", Location("cliniko", "cliniko")),
    ],
)
def test_what_a_person_types_is_understood(text: str, location: Location) -> None:
    assert parse_location(text, HERE) == location


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has the form of none"),
        ("./demo", "it has the form of none"),
        ("folder:", "the path of the folder is missing"),
        ("folder:~nobody-of-this-name/x", "there is no such home folder"),
        ("https://", "the address names no server"),
        ("https://[::1", "the address is not valid"),
        ("https://xn--/", "the address is not valid"),
        ("http://data.example.org/a.csv", "the address must begin with https://"),
        (
            f"{SHEET}/gviz/tq?tqx=out:csv",
            "this kind of export blanks cells, take the address of the sheet itself",
        ),
    ],
)
def test_what_is_no_source_is_refused_in_a_sentence(text: str, why: str) -> None:
    error = refusal(lambda: parse_location(text, HERE))
    assert error.code == "bad_location"
    assert error.sentence == f"'{text}' is not a source: {why}."


def test_a_refusal_prints_neither_a_password_nor_what_cannot_be_printed() -> None:
    address = "https://ana:secret@data.example.org/a.csv"
    assert refusal(lambda: parse_location(address, HERE)).sentence == (
        "'https://***@data.example.org/a.csv' is not a source: an address must not hold a password."
    )
    assert refusal(lambda: parse_location("folder:\0", HERE)).sentence == (
        r"'folder:\x00' is not a source: it holds an unprintable character."
    )


def test_a_source_has_a_name_and_an_address_for_people() -> None:
    by_gid, by_title = (
        source_setting("sheet", ID, tab="418"),
        source_setting("sheet", ID, tab="Locations"),
    )
    assert source_name(by_title) == "Google Sheet 1Dem…mnop, tab Locations"
    assert source_name(source_setting("sheet", ID)) == "Google Sheet 1Dem…mnop"
    assert source_link(by_gid) == f"{SHEET}/edit#gid=418"
    assert source_link(by_title) == f"{SHEET}/edit"
    published = source_setting("csv", f"{PUBLISHED}?output=csv")
    assert source_name(published) == "CSV at docs.google.com"
    assert source_link(published) == f"{PUBLISHED}?output=csv"
    folder = source_setting("folder", "/srv/sheets")
    assert source_name(folder) == "folder /srv/sheets"
    assert source_link(folder) is None
    cliniko = source_setting("cliniko", "cliniko")
    assert (source_name(cliniko), source_link(cliniko)) == ("Cliniko", None)
