"""A probe of Cliniko: whether the key is good, what it may read, how many patients there are."""

from collections.abc import Sequence

from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources.cliniko.client import Permission, open_client
from sync_core.sources.kind import AccountProbe
from sync_core.sources.retry import RetryPolicy

ONE_RETRY = RetryPolicy(attempts=2, outage_attempts=2)  # a person is waiting


def probe_account(organization: str, settings: Settings) -> AccountProbe:
    """Tell how many patients the account has, and what the key may read of it.

    The count includes the archived ones, as all of them are kept. Raises SyncError.
    """
    with open_client(organization, settings, retry_policy=ONE_RETRY) as client:
        permissions = client.check()
    allowed = _titles(permissions, allowed=True)
    if refused := _titles(permissions, allowed=False):
        raise SyncError("cliniko_lacks_a_role", what=refused, may=allowed or "nothing else")
    [patients] = [one.count for one in permissions if one.path == "patients"]
    noun = "patient" if patients == 1 else "patients"
    sentence = f"Cliniko answers: {patients:,} {noun}. May read {allowed}."
    return AccountProbe(sentence, patients or 0)


def _titles(permissions: Sequence[Permission], *, allowed: bool) -> str:
    return ", ".join(one.title for one in permissions if (one.refusal is None) == allowed)
