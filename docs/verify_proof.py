"""Check a proof of what a sync did to one row, with nothing but Python's hashlib and json.

    python3 verify_proof.py FILE [HEAD]

HEAD is a head of the audit's chain that was noted elsewhere: in the manifest of an export, in a
file of heads. Without it, compare the head that is printed with one that you have noted yourself:
only then does the proof say that the row is part of what was there at that time.

The leaf of a row is SHA-256 of its facts, as they stand in the file, and of SHA-256 of its values.
Each step of the path is SHA-256 of the byte 1 and of the nodes side by side, in their order; at its
end is the root over all that the run did. The content of the run's link is SHA-256 of what the run
says of itself (its SHA-256) and of this root. A link is SHA-256 of its own numbers, of the link
before, of an earlier one to which it jumps, and of its content; so one leads to the next, up to the
head.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

FORM, SIZE = 2, 32  # of links and proofs; of a SHA-256 in bytes
FACTS = ("run", "table", "outcome", "row", "key", "rule", "hash of the row", "at (UTC)")
VALUES = ("name", "changes", "issues", "cells")
PROOF = {
    "form", "organization", "facts", "values", "values_hash", "path", "run_content", "links", "head"
}  # fmt: skip
LINK = {"number", "jump", "kind", "subject", "previous", "jumped", "content"}


class ProofError(Exception):
    """The proof does not hold; the message says what does not fit."""


class Proved(NamedTuple):
    """What a proof has shown."""

    facts: list[Any]
    values: list[Any] | None  # None: they were dropped, their hash was left
    link: int  # the number of the run's link
    last: int  # that of the head
    head: str


def check(text: str, head: str | None = None) -> Proved:
    """Return what the proof shows. Raises ProofError where anything in it does not fit."""
    try:
        return _check(json.loads(text, object_pairs_hook=_once), head)
    except (KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
        raise ProofError("a part of it is missing, or not as it was written") from error


def _check(proof: dict[str, Any], head: str | None) -> Proved:
    if (
        set(proof) != PROOF
        or proof["form"] != FORM
        or any(set(li) != LINK for li in proof["links"])
    ):
        raise ProofError("it holds other parts than a proof of form 2 has")
    facts, first = json.loads(proof["facts"]), proof["links"][0]
    values_hash = _bytes(proof["values_hash"])
    if proof["values"] is not None and _sha256(proof["values"].encode()) != values_hash:
        raise ProofError("the values of the row are not those that were hashed")
    if (first["kind"], first["subject"]) != ("run", facts[0]):
        raise ProofError(f"the row is of run {facts[0]}, and the link is of another")
    root = _sha256(proof["facts"].encode() + values_hash)
    for step in proof["path"]:
        before, after = ([_bytes(node) for node in step[side]] for side in ("before", "after"))
        root = _sha256(b"\x01" + b"".join([*before, root, *after]))
    if _sha256(_bytes(proof["run_content"]) + root) != _bytes(first["content"]):
        raise ProofError("the row and its path do not lead to what the link of its run holds")
    last, found = _follow(proof["organization"], proof["links"])
    if found != proof["head"]:
        raise ProofError("the links do not lead to the head of the proof")
    if head is not None and head.strip().lower() != found:
        raise ProofError(f"it leads to the head {found}, and not to the one that was noted")
    values = None if proof["values"] is None else json.loads(proof["values"])
    return Proved(facts, values, first["number"], last, found)


def _follow(organization: int, links: list[dict[str, Any]]) -> tuple[int, str]:
    """Return the number and the hash of the last link. Raises ProofError where one is not held."""
    number, found = None, ""
    for link in links:
        held = [link["previous"]] if number == link["number"] - 1 else []
        held += [link["jumped"]] if number == link["jump"] else []
        if number is not None and found not in held:
            raise ProofError(f"link {link['number']} does not follow from link {number}")
        number, found = link["number"], _hash_of_link(organization, link)
    if number is None:
        raise ProofError("it has no links")
    return number, found


def _hash_of_link(organization: int, link: dict[str, Any]) -> str:
    parts = [organization, *(link[name] for name in ("number", "jump", "kind", "subject"))]
    numbers = f"{FORM}:" + "".join(f"{part}:" for part in parts)
    previous = _bytes(link["previous"]) if link["number"] > 1 else _nothing(link["previous"])
    jumped = _bytes(link["jumped"]) if link["jump"] > 0 else _nothing(link["jumped"])
    return _sha256(numbers.encode() + previous + jumped + _bytes(link["content"])).hex()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of pairs, each name of which must stand once: readers may take the other one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _nothing(value: None) -> bytes:
    if value is not None:
        raise ValueError("a link has a hash of a link that cannot be")
    return b""


def _bytes(text: str) -> bytes:
    """Read a hash in hexadecimal, which is written in one way only."""
    found = bytes.fromhex(text)
    if len(found) != SIZE or found.hex() != text:
        raise ValueError("this is no SHA-256")
    return found


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def told(proved: Proved) -> str:
    """Say what was proved, a line for each part, so that no text in it can pose as another."""
    parts = [
        *zip(FACTS, proved.facts, strict=True),
        *zip(VALUES, proved.values or (), strict=False),
    ]
    lines = [f"  {name}: {json.dumps(value)}" for name, value in parts if value is not None]
    dropped = ["  (its values were deleted since)"] if proved.values is None else []
    first = f"The proof holds: link {proved.link} of the audit's chain covers this row."
    return "\n".join([first, *lines, *dropped, f"It leads to link {proved.last}, {proved.head}."])


def main() -> None:
    """Check the file that is named, and say what it proves, or what does not fit."""
    if len(sys.argv) not in (2, 3):
        sys.exit("Usage: python3 verify_proof.py FILE [HEAD]")
    try:
        proved = check(Path(sys.argv[1]).read_text(encoding="utf-8"), *sys.argv[2:])
    except (OSError, UnicodeDecodeError, ProofError) as error:
        sys.exit(f"The proof does not hold: {error}.")
    sys.stdout.write(f"{told(proved)}\n")


if __name__ == "__main__":
    main()
