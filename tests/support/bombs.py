"""Bodies that are small on their way and huge when they are unpacked, and what they may cost."""

import gzip
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.workbooks import SHEET, packed, parts

MB = 2**20
TWICE = "gzip, gzip"


def packed_twice(megabytes: int, begin: bytes = b"") -> bytes:
    """Return so many megabytes of blanks after a beginning, in a few hundred bytes."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    once = packer.compress(begin)
    for _ in range(megabytes):
        once += packer.compress(b" " * MB)
    return gzip.compress(once + packer.flush())


@contextmanager
def at_most(megabytes: int) -> Iterator[None]:
    """Fail where Python takes more memory meanwhile."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < megabytes * MB


def workbook_of_texts(path: Path) -> None:
    """Write a workbook of half a gigabyte of shared texts, as many as are read."""
    packed(parts('<row><c t="inlineStr"><is><t>Name</t></is></c></row>'), path)
    text = f"<si><t>{'a' * 99_000}</t></si>".encode()
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package,
        package.open("xl/sharedStrings.xml", "w") as texts,
    ):
        texts.write(f'<sst xmlns="{SHEET}">'.encode())
        for _ in range(5_100):
            texts.write(text)
        texts.write(b"</sst>")
