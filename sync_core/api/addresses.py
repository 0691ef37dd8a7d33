"""Where the files are: the paths of their routes, and the addresses for whoever links to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

ROOT = "/api"  # where the API is mounted
PATH = f"{ROOT}/v1"
TRAIL = f"{PATH}/audit.csv"
_RUN, _ENTITY, _FILE = "{run}", "{entity}", "{file}"  # as routes write a parameter
OUTCOMES = f"{PATH}/runs/{_RUN}/outcomes.csv"
REJECTS = f"{PATH}/runs/{_RUN}/rejects.csv"
PROOF = f"{PATH}/runs/{_RUN}/proof.json"
PROOF_SCRIPT = f"{PATH}/verify_proof.py"
LOG = f"{PATH}/runs/{_RUN}/log.txt"
RECORDS = f"{PATH}/records/{_ENTITY}/rows.csv"
RECORD = f"{PATH}/records/{_ENTITY}/history.csv"

PREPARED = f"{PATH}/prepared/{_FILE}.csv"


def of_prepared(name: str, slug: str) -> str:
    """Return the address of a file that a page of the organization has prepared."""
    return f"{PREPARED.replace(_FILE, name)}?{urlencode({'org': slug})}"


def of_trail(parameters: Mapping[str, str]) -> str:
    """Return the address of the audit trail under a filter."""
    return f"{TRAIL}?{urlencode(parameters)}"


def of_outcomes(run_id: int, slug: str) -> str:
    """Return the address of the outcomes of a run of the organization, for a spreadsheet."""
    return _of_run(OUTCOMES, run_id, {"org": slug, "bom": "1"})


def of_missing(run_id: int, slug: str, entity: str) -> str:
    """Return the address of the records of a table that a run has not found in its source."""
    return _of_run(OUTCOMES, run_id, {"org": slug, "missing": entity, "bom": "1"})


def of_rejects(run_id: int, slug: str, *, skipped: bool = False) -> str:
    """Return the address of the rows of a run that failed, or were skipped, for a spreadsheet."""
    which = {"skipped": "1"} if skipped else {}
    return _of_run(REJECTS, run_id, {"org": slug, **which, "bom": "1"})


def of_records(
    entity: str, slug: str, search: str, only: Mapping[str, Sequence[object]], sort: str, group: str
) -> str:
    """Return the address of the rows of a table that a search and filters find, as a spreadsheet.

    The sort is a column, after a minus where the last comes first.
    """
    some = [f"{column}={value}" for column, values in only.items() for value in values]
    asked = {"search": search, "only": some, "sort": sort, "group": group}
    given = {name: value for name, value in asked.items() if value}
    query = urlencode({"org": slug, **given, "bom": "1"}, doseq=True)
    return f"{RECORDS.replace(_ENTITY, entity)}?{query}"


def of_log(run_id: int, slug: str) -> str:
    """Return the address of the log of a run of the organization."""
    return _of_run(LOG, run_id, {"org": slug})


def of_proof(run_id: int, slug: str, entity: str, row: int | None, key: Sequence[str]) -> str:
    """Return the address of the proof of what a run did to a row.

    The row is named by its number in the source, else by the parts of its key.
    """
    named: dict[str, int | Sequence[str]] = {"key": key} if row is None else {"row": row}
    query = urlencode({"org": slug, "entity": entity, **named}, doseq=True)
    return f"{PROOF.replace(_RUN, str(run_id))}?{query}"


def of_record(entity: str, key: Sequence[str], slug: str, as_of: datetime | None = None) -> str:
    """Return the address of the history of a record, or of what it was, for a spreadsheet."""
    moment = {"as_of": as_of.isoformat()} if as_of else {}
    asked = {"org": slug, "key": key, **moment, "bom": "1"}
    return f"{RECORD.replace(_ENTITY, entity)}?{urlencode(asked, doseq=True)}"


def _of_run(path: str, run_id: int, parameters: Mapping[str, str]) -> str:
    return f"{path.replace(_RUN, str(run_id))}?{urlencode(parameters)}"
