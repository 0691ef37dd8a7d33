"""Where in the browser the sheets are that a run has read."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables

SheetLinks = Mapping[str, str]  # entity -> the address of its sheet's first cell


def of_run(connection: Connection, run_id: int) -> SheetLinks:
    """Return the addresses of the sheets that the run has read; only those on the web."""
    noted = tables.checkpoints.c
    address = noted.sheet["link"].as_string()
    rows = connection.execute(sa.select(noted.entity, address).where(noted.run_id == run_id))
    return {entity: link for entity, link in rows if link}
