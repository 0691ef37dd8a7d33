"""The script that checks proofs without Sync Desk: `python -m sync_core.cli.proof_script`."""

from pathlib import Path

from sync_core.audit import proof_check
from sync_core.foundation.settings import ROOT

SCRIPT = ROOT / "docs" / "verify_proof.py"


def script() -> str:
    """Return what stands in the script: the module that `syncdesk verify --proof` uses."""
    return Path(proof_check.__file__).read_text(encoding="utf-8")


if __name__ == "__main__":
    SCRIPT.write_text(script(), encoding="utf-8")
