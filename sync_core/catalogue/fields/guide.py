"""What may stand in a cell of each kind, for people; a test holds the examples to the fields."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync_core.catalogue.fields.amounts import Integer, Money, Number
from sync_core.catalogue.fields.contacts import Email, Phone, Url
from sync_core.catalogue.fields.field import Field
from sync_core.catalogue.fields.moments import Date, Time
from sync_core.catalogue.fields.words import Choice, Currency, Text, YesNo


@dataclass(frozen=True)
class Guide:
    """One kind of cell: a field of it, what it takes, and examples.

    The examples are of a source without a locale, of an organization in Australia.
    """

    title: str
    sample: Field
    takes: str
    read: Mapping[str, str]  # what people type, and what becomes of it
    refused: tuple[str, ...] = ()


GUIDES = (
    Guide(
        "Text",
        Text("Address"),
        "Anything, as it is: zeros in front, long digits and line breaks stay.",
        {"0800": "0800", "'t Harde": "'t Harde"},
        ("#REF!", "########"),
    ),
    Guide(
        "Code or reference",
        Text("Location code", key=True),
        "What people see of it: invisible characters and further blanks are left out, capitals"
        " count. A number is the same in every number format. What a spreadsheet has made a date of"
        " is refused.",
        {"L\N{NO-BREAK SPACE} 01": "L 01", '="00123"': "00123"},
        ("1.23457E+11", "=A1&B1", "1-Mar", "12345678901234500000"),
    ),
    Guide(
        "Whole number",
        Integer("Sessions"),
        "Digits, with or without marks between thousands.",
        {"1,234": "1234", "60.0": "60"},
        ("5.5", "1.234,50"),
    ),
    Guide(
        "Number",
        Number("Latitude"),
        "Decimals, percentages and exponents.",
        {"-33.8688": "-33.8688", "12.5%": "0.125"},
        ("1,23", "0,5"),
    ),
    Guide(
        "Amount of money",
        Money("Price", currency="Currency"),
        "At most two decimals, with or without a currency, which must be the row's. A dash may"
        " mean no cents, or zero beside a currency.",
        {"$1,234.50": "1234.50", "95.-": "95.00", "(45.00)": "-45.00", "$ -": "0.00"},
        ("95.555", "5-", "12%"),
    ),
    Guide(
        "Currency",
        Currency("Currency"),
        "The three letters of a currency in use.",
        {"aud": "AUD"},
        ("$", "DEM"),
    ),
    Guide(
        "Date",
        Date("Opened on"),
        "The year first, or the month by its name; day and month in figures only where the source"
        " has a locale. Years of 1900 to 2100, where the column takes no others.",
        {"2026-04-03": "2026-04-03", "3 Apr 2026": "2026-04-03", "2026/4/3": "2026-04-03"},
        ("03/04/2026", "3/4/26", "1899-12-30"),
    ),
    Guide(
        "Time of day",
        Time("End", may_end_the_day=True),
        "By 24 hours, or by 12 with am or pm. A shift may end at 24:00.",
        {"9:00": "09:00:00", "9.30 pm": "21:30:00", "24:00": "00:00:00"},
        ("9", "25:00"),
    ),
    Guide(
        "Yes or no",
        YesNo("Active"),
        "In words, figures or ticks, in English and in the language of the source's locale.",
        {"yes": "true", "FALSE": "false", "\N{CHECK MARK}": "true", "0": "false"},
        ("x", "-"),
    ),
    Guide(
        "One of a list",
        Choice("Employment type", options=("Full time", "Part time")),
        "A word of the list, whatever its capitals, blanks and hyphens.",
        {"full-time": "Full time", "PARTTIME": "Part time"},
        ("Casual",),
    ),
    Guide(
        "E-mail address",
        Email("Email"),
        "One address; it is kept in small letters.",
        {"Jane@Example.org": "jane@example.org"},
        ("jane@example", "a@x.org, b@x.org", "'jane@example.org"),
    ),
    Guide(
        "Phone number",
        Phone("Phone"),
        "One number that exists in its country's plan: the organization's, or another one with +.",
        {"0491 570 006": "+61491570006", "+44 20 7946 0958": "+442079460958"},
        ("12345", "030 123456 / 57"),
    ),
    Guide(
        "Web address",
        Url("Website"),
        "With its https:// in front.",
        {"https://example.org": "https://example.org"},
        ("www.example.org", "https://www", "https://http://example.org"),
    ),
)
