"""What people call a reason, of which the program keeps a code: never the code itself."""

import re

from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.foundation.errors import CATALOGUE
from sync_core.foundation.errors.summaries import SUMMARIES

_FACT = re.compile(r"\{\w+[^}]*\}")


def of_code(code: str) -> str:
    """Return in a few words a cell's or a run's code, or the name of a rule; no full stop."""
    if code in CELL_CODES:
        return CELL_CODES[code].summary
    if code in SUMMARIES:
        return SUMMARIES[code]
    if code in CATALOGUE:
        return without_facts(CATALOGUE[code].sentence).split(". ")[0].rstrip(".")
    return code[:1].upper() + code[1:].replace("_", " ")


def without_facts(sentence: str) -> str:
    """Return a sentence of the catalogue with dots for its names: "Column '…' is missing."."""
    return _FACT.sub("…", sentence.replace("{hint}", ""))
