"""The proof of what a run did to a row, and the script that checks it, as files."""

from collections.abc import Sequence

import streamlit as st

from sync_core.api import addresses
from sync_core.runs import Run
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.runs import downloads


def address(
    here: Visitor, run: Run, entity: str, row: int | None, key: Sequence[str]
) -> str | None:
    """Return the address of the proof; None where there is none, or where it is not for them.

    It holds the row unmasked, so it is for whoever may export and see personal data.
    """
    may = here.person.may("export") and here.person.may("personal")
    if not may or run.finished_at is None or (row is None and not key):
        return None
    return addresses.of_proof(run.id, here.organization.slug, entity, row, key)


def show(proof: str) -> None:
    """Offer the proof at this address, and what checks it."""
    with st.container(horizontal=True, key="proof"):
        downloads.offer("Download proof", proof)
        downloads.offer("Download verify_proof.py", addresses.PROOF_SCRIPT)
    explain()


def explain() -> None:
    """Say in a sentence how somebody checks a proof."""
    st.caption(
        "To check a proof, run *python3 verify\\_proof.py* with its file: it needs only Python, and"
        " says what the run did to the row, or what does not fit."
    )
