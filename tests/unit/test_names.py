import pytest

from sync_core.foundation import names
from tests.support.sources import refusal


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Harbor   Clinics ", "Harbor Clinics"),
        ("Zoe\u0308", "Zo\u00eb"),
        (
            "\u0645\u0631\u064a\u0645 O'Neil & Co. (Perth)",
            "\u0645\u0631\u064a\u0645 O'Neil & Co. (Perth)",
        ),
        ("x" * names.LONGEST, "x" * names.LONGEST),
        ("**b** <i>", "**b** <i>"),  # pages show it as it is
    ],
)
def test_a_name_is_kept_as_people_read_it(given: str, kept: str) -> None:
    assert names.plain(given) == kept


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "blank_name"),
        (" \u3000"[:1], "blank_name"),
        ("x" * (names.LONGEST + 1), "name_too_long"),
        ("Ana\nRuiz", "unseen_in_name"),
        ("Ana\tRuiz", "unseen_in_name"),
        ("Ana\0", "unseen_in_name"),
        ("Ana \u202egro.elpmaxe", "unseen_in_name"),
        ("Ana\u2066Ruiz\u2069", "unseen_in_name"),
        ("Ana\u200f", "unseen_in_name"),
        ("A\u200bna", "unseen_in_name"),
        ("A\u00adna", "unseen_in_name"),
        ("\u3164", "unseen_in_name"),
        ("Ana\u2028Ruiz", "unseen_in_name"),
        ("Ana\ue000", "unseen_in_name"),
    ],
)
def test_a_name_that_could_pass_for_another_is_refused(given: str, code: str) -> None:
    assert refusal(lambda: names.plain(given)).code == code
