"""Where the files are: the paths of their routes, and the addresses for whoever links to them."""

from collections.abc import Mapping
from urllib.parse import urlencode

PATH = "/api/v1"
TRAIL = f"{PATH}/audit.csv"
_RUN = "{run:int}"  # as routes write a parameter
OUTCOMES = f"{PATH}/runs/{_RUN}/outcomes.csv"
REJECTS = f"{PATH}/runs/{_RUN}/rejects.csv"
LOG = f"{PATH}/runs/{_RUN}/log.txt"


def of_trail(parameters: Mapping[str, str]) -> str:
    """Return the address of the audit trail under a filter."""
    return f"{TRAIL}?{urlencode(parameters)}"


def of_outcomes(run_id: int, slug: str) -> str:
    """Return the address of the outcomes of a run of the organization, for a spreadsheet."""
    return _of_run(OUTCOMES, run_id, {"org": slug, "bom": "1"})


def of_rejects(run_id: int, slug: str) -> str:
    """Return the address of the rows to mend of a run of the organization, for a spreadsheet."""
    return _of_run(REJECTS, run_id, {"org": slug, "bom": "1"})


def of_log(run_id: int, slug: str) -> str:
    """Return the address of the log of a run of the organization."""
    return _of_run(LOG, run_id, {"org": slug})


def _of_run(path: str, run_id: int, parameters: Mapping[str, str]) -> str:
    return f"{path.replace(_RUN, str(run_id))}?{urlencode(parameters)}"
