"""Whether a file is still the one that it was: where it stands, or what it holds."""

import hashlib
import os
from collections.abc import Sequence
from typing import BinaryIO

BLOCK = 2**20  # bytes


def identity(file: BinaryIO) -> Sequence[int]:
    """Return what changes whenever the file on the disk is written."""
    stat = os.fstat(file.fileno())
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns]


def content(file: BinaryIO) -> str:
    """Return the SHA-256 of what the file holds: of a copy, whose identity is new each time."""
    digest, at = hashlib.sha256(), 0
    while block := os.pread(file.fileno(), BLOCK, at):
        digest.update(block)
        at += len(block)
    return digest.hexdigest()
