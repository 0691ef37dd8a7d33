"""Where people see a run: the page of its own, to which everything that tells of a run leads."""

from urllib.parse import urlencode

from sync_core.foundation import settings

PAGE = "runs"
ORGANIZATION, ID = "org", "id"  # in the address: the organization's slug, the run's number


def parameters(slug: str, run_id: int) -> dict[str, str]:
    """Return what the address of a run says: of which organization it is, and its number."""
    return {ORGANIZATION: slug, ID: str(run_id)}


def path(slug: str, run_id: int) -> str:
    """Return the address of a run, from the root of the pages."""
    return f"/{PAGE}?{urlencode(parameters(slug, run_id))}"


def full(slug: str, run_id: int) -> str | None:
    """Return the whole address of a run; None where nobody said where the pages are."""
    root = settings.current().address
    return root and f"{root}{path(slug, run_id)}"
