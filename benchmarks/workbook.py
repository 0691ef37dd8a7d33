"""Measure the reading of a workbook: `python -m benchmarks.workbook [--rows 300000]`.

Each reader has a process of its own. Ours returns pages of texts, numbers and formats; openpyxl's
read-only mode, whose work comes closest, returns the values and formats of cells.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from xml.sax.saxutils import escape

from openpyxl import load_workbook

from benchmarks import data
from sync_core.catalogue.cell_address import letters
from sync_core.sources.files.workbook import open_workbook
from tests.support.workbooks import SHEET, parts

DAY_ZERO = date(1899, 12, 30)
NUMBERS = ("Latitude", "Longitude")
STYLES = (
    f'<styleSheet xmlns="{SHEET}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    "</styleSheet>"
)
TAB = "xl/worksheets/sheet1.xml"


def main() -> None:
    """Write a workbook, read it by each reader, and print a line of each."""
    parser = argparse.ArgumentParser(description="Measure the reading of a workbook.")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--read", choices=READERS, help="only read FILE by this reader")
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if options.read:
        _read(READERS[options.read], options.file)
        return
    with tempfile.TemporaryDirectory(prefix="syncdesk-benchmark-") as folder:
        file = Path(folder, "locations.xlsx")
        _write(file, options.rows)
        size = file.stat().st_size / 2**20
        print(f"{options.rows:,} rows x {len(data.HEADER)} columns, {size:.0f} MB")
        for name in READERS:
            command = [sys.executable, "-m", "benchmarks.workbook", "--read", name]
            subprocess.run([*command, "--file", str(file)], check=True)


def _write(file: Path, rows: int) -> None:
    """Write locations as Excel keeps them: shared texts, numbers, and dates with their format."""
    texts: dict[str, int] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts("", styles=STYLES).items():
            if name != TAB:
                package.writestr(name, text)
        with package.open(TAB, "w") as part:
            part.write(f'<worksheet xmlns="{SHEET}"><sheetData>'.encode())
            for number, row in enumerate([data.HEADER, *islice(data.locations(), rows)], 1):
                part.write(_row(number, row, texts).encode())
            part.write(b"</sheetData></worksheet>")
        with package.open("xl/sharedStrings.xml", "w") as part:
            part.write(f'<sst xmlns="{SHEET}">'.encode())
            part.writelines(f"<si><t>{escape(text)}</t></si>".encode() for text in texts)
            part.write(b"</sst>")


def _row(number: int, row: list[str], texts: dict[str, int]) -> str:
    cells = "".join(_cells(number, row, texts))
    return f'<row r="{number}" spans="1:{len(row)}">{cells}</row>'


def _cells(number: int, row: list[str], texts: dict[str, int]) -> Iterator[str]:
    for column, (label, text) in enumerate(zip(data.HEADER, row, strict=True)):
        place = f'r="{letters(column)}{number}"'
        if number > 1 and label in NUMBERS:
            yield f"<c {place}><v>{text}</v></c>"
        elif number > 1 and label == "Opened on":
            yield f'<c {place} s="1"><v>{(date.fromisoformat(text) - DAY_ZERO).days}</v></c>'
        else:
            yield f'<c {place} t="s"><v>{texts.setdefault(text, len(texts))}</v></c>'


def _read(reader: Callable[[Path], int], file: Path) -> None:
    before = _peak()
    wall, processor = time.perf_counter(), time.process_time()
    rows = reader(file)
    took, busy = time.perf_counter() - wall, time.process_time() - processor
    name = next(name for name, known in READERS.items() if known is reader)
    print(
        f"{name}: {rows:,} rows, {took:.1f} s, {busy:.1f} s of processor time,"
        f" {_peak() - before:.0f} MB over its imports of {before:.0f} MB",
        flush=True,
    )


def _peak() -> float:
    """Return the peak of resident memory in MB, of this program, not of what started it."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+([0-9]+) kB", status)[1]) / 1024  # type: ignore[index] # Linux writes it


def _ours(file: Path) -> int:
    sheet = open_workbook(file.open("rb"), data.ENTITY, name="It", title="It")
    columns = frozenset(range(len(sheet.headers)))
    return sum(len(page.rows) for page in sheet.pages(columns))


def _openpyxl(file: Path) -> int:
    (sheet,) = load_workbook(file, read_only=True, data_only=True).worksheets
    rows = 0
    for row in sheet.iter_rows(min_row=2):
        rows += bool([(cell.value, cell.number_format) for cell in row])
    return rows


READERS: dict[str, Callable[[Path], int]] = {"Sync Desk": _ours, "openpyxl": _openpyxl}

if __name__ == "__main__":
    main()
