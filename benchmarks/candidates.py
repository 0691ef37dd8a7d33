"""The ways of loading that are measured side by side: ours, the base, and peers.

Each times its own work alone, in a process of its own, and gives the seconds that it took.
"""

import csv
import importlib.util
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from benchmarks.data import ENTITY, HEADER
from sync_core import organizations, runs
from sync_core.catalogue import resources
from sync_core.execution import attempt
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import source_settings
from sync_core.organizations.people import Person
from tests.support.desk import own_folder

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT")
COLUMNS = [field.column for field in ENTITY.fields]
KEY = "organization_id, location_code"
BATCH = 20_000  # rows of an executemany


@dataclass(frozen=True)
class Candidate:
    """A way of loading a CSV file into a table of its own."""

    name: str
    table: str
    empty: Callable[[], None]  # before a first load; not timed
    load: Callable[[Path], float]  # seconds


def everyone(*, slow: bool) -> list[Candidate]:
    """List the candidates, the base first; dlt only where it is installed, the slow ones last."""
    found = [
        Candidate(r"psql \copy, no key (the base)", "raw", _empty_raw, _copy),
        Candidate("Sync Desk", ENTITY.name, _empty_ours, _sync),
        Candidate("psql COPY + blind upsert", "blind", _empty_twin("blind"), _upsert),
        Candidate("SQLAlchemy executemany", "many", _empty_twin("many"), _executemany),
    ]
    if importlib.util.find_spec("dlt"):
        found.append(Candidate("dlt merge", "dlt.locations", _empty_dlt, _dlt))
    return found if slow else found[:3]


def psql(*commands: str) -> float:
    """Run commands of psql in one session; returns the seconds, the start of psql included."""
    program = embedded._postgres("psql")  # noqa: SLF001 - the binary beside the server
    options = [part for command in commands for part in ("-c", command)]
    start = time.perf_counter()
    subprocess.run([program, "-qXd", _address(), "-v", "ON_ERROR_STOP=1", *options], check=True)
    return time.perf_counter() - start


def _address() -> str:
    return settings.urls().owner.replace("+psycopg", "")


# The base: the text of the cells, as they stand, into an unlogged table without a key


def _empty_raw() -> None:
    columns = ", ".join(f"{column} text" for column in COLUMNS)
    quiet = "set client_min_messages = error"
    psql(quiet, "drop table if exists raw", f"create unlogged table raw ({columns})")


def _copy(file: Path) -> float:
    _empty_raw()
    return psql(rf"\copy raw from '{file}' csv header")


# Ours: a whole run as a worker's work-horse does it, from its claim to its end


def _empty_ours() -> None:
    psql(f"truncate {ENTITY.name}, outcomes")


def _sync(file: Path) -> float:
    organization = _organization()
    _offer(organization, file)
    with db.everywhere() as connection:
        run = runs.start(connection, organization.id, "locations", ANA, trigger="benchmark")
    start = time.perf_counter()
    status = attempt.work(run.id)
    seconds = time.perf_counter() - start
    if status != "completed":
        raise RuntimeError(f"The run is {status}.")
    return seconds


def _organization() -> organizations.Organization:
    with db.everywhere() as connection:
        for organization in organizations.everyone(connection):
            return organization
        return organizations.add(connection, "benchmark", "Northwind Care")


def _offer(organization: organizations.Organization, file: Path) -> None:
    """Make the file the source of the next run."""
    folder = own_folder(organization.slug)
    (folder / f"{ENTITY.name}.csv").unlink(missing_ok=True)
    (folder / f"{ENTITY.name}.csv").hardlink_to(file)
    found = source_settings.parse(
        organization, resources.by_name("locations"), "folder:.", None, None
    )
    with db.everywhere() as connection:
        source_settings.save(connection, organization, found)


# Peers, each with a table like ours; none of them validates, counts, or says what it changed


def _empty_twin(table: str) -> Callable[[], None]:
    def empty() -> None:
        psql(
            "set client_min_messages = error",
            f"drop table if exists {table}",
            f"create table {table} (like {ENTITY.name} including all)",
            f"alter table {table} alter organization_id set default 1",
        )

    return empty


def _upsert(file: Path) -> float:
    columns = ", ".join(COLUMNS)
    return psql(
        f"create temp table staged as select {columns} from blind limit 0",
        rf"\copy staged from '{file}' csv header",
        f"insert into blind ({columns}) select * from staged"
        f" on conflict ({KEY}) do update set {_set_all()}",
    )


def _set_all() -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in COLUMNS[1:])


def _executemany(file: Path) -> float:
    start = time.perf_counter()
    with db.everywhere() as connection:
        table = sa.Table("many", sa.MetaData(), autoload_with=connection)
        statement = insert(table)
        statement = statement.on_conflict_do_update(
            index_elements=["organization_id", "location_code"],
            set_={column: statement.excluded[column] for column in COLUMNS[1:]},
        )
        rows = _rows(file)
        while batch := list(islice(rows, BATCH)):
            connection.execute(statement, batch)
    return time.perf_counter() - start


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(newline="") as text:
        for cells in csv.DictReader(text):
            row: dict[str, Any] = dict(zip(COLUMNS, cells.values(), strict=True))
            row["organization_id"] = 1
            row["latitude"], row["longitude"] = Decimal(row["latitude"]), Decimal(row["longitude"])
            row["opened_on"] = date.fromisoformat(row["opened_on"])
            row["active"] = row["active"] == "yes"
            yield row


def _empty_dlt() -> None:
    psql(
        "set client_min_messages = error",
        "drop schema if exists dlt cascade",
        "drop schema if exists dlt_staging cascade",
    )


def _dlt(file: Path) -> float:
    """Read with Arrow a block at a time, the fastest way into dlt."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    import dlt  # noqa: PLC0415 - not installed everywhere, and not in our work-horse's memory
    from pyarrow import csv as arrow_csv  # noqa: PLC0415 - with dlt, and for it alone

    texts = arrow_csv.ConvertOptions(column_types=dict.fromkeys(HEADER[:8], "string"))
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=str(file.parent / "dlt"),
        destination=dlt.destinations.postgres(_with_host()),
        dataset_name="dlt",
    )
    start = time.perf_counter()
    blocks = arrow_csv.open_csv(file, convert_options=texts)
    rows = dlt.resource(
        blocks, name="locations", write_disposition="merge", primary_key="Location code"
    )
    pipeline.run(rows, loader_file_format="csv")
    return time.perf_counter() - start


def _with_host() -> str:
    """Write the address with a host and a password, which dlt insists on; the socket wins."""
    return _address().replace("app@", "app:none@localhost")
