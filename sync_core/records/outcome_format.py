"""How an outcome is written down: its key as one text, and what its digests cover."""

KEY_SEPARATOR = "\x1f"  # between the parts of a key in outcomes; no cell can hold it

FACTS = ("kind", "row_number", "key", "rule", "row_hash", "at")
VALUES = ("row_number", "key", "name", "changes", "issues", "raw")


def _digest(columns: tuple[str, ...]) -> str:
    return f"concat_ws(':', count(*), sum(hash_record_extended(row({', '.join(columns)}), 0)))"


DIGESTS = f"{_digest(FACTS)} as facts_digest, {_digest(VALUES)} as values_digest"
NOTHING = "0"  # the digest of no row
