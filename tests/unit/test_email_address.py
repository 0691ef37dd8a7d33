"""One rule for e-mail addresses: in cells, in settings, and of people."""

import pytest

from sync_core.catalogue.fields import Email
from sync_core.foundation import email_address
from sync_core.foundation.settings import SettingsError, load
from tests.support.cells import answers

ADDRESSES = {
    "it@example.org": True,
    "Ana.Ruiz+sync@Clinic-1.example.org": True,
    f"{'a' * 242}@example.org": True,
    f"{'a' * 243}@example.org": False,
    "it@localhost": False,
    "it@example..org": False,
    "it@.example.org": False,
    ".it@example.org": False,
    "i t@example.org": False,
    "it@example.org,ana@example.org": False,
    "(it@example.org)": False,
    "jörg@example.org": False,
    "somebody": False,
}


@pytest.mark.parametrize(("text", "valid"), ADDRESSES.items())
def test_an_address_is_one_everywhere_or_nowhere(text: str, *, valid: bool) -> None:
    assert email_address.is_valid(text) is valid
    ((_, code),) = answers(Email("Email"), [text])
    assert (code is None) is valid
    assert _is_a_contact(text) is valid


def _is_a_contact(text: str) -> bool:
    try:
        return load({"CLINIKO_CONTACT": text}).cliniko_contact == text
    except SettingsError:
        return False
