"""A run that nobody takes ends at its limit, for the pages look, too."""

import psycopg

from tests.support import bends, watching
from tests.support.desk import Desk
from tests.support.locations import HEADER, row
from tests.support.pages import Visit, strip


def test_a_page_ends_a_run_over_its_limit_though_no_worker_is_alive(
    visit: Visit, desk: Desk, database: psycopg.Connection
) -> None:
    desk.write("locations", [HEADER, row("L1")])
    run = desk.start("locations")
    bends.let_it_wait(database, run)
    page = visit("locations")
    assert "No worker took it" in strip(page).text
    assert watching.read(run).status == "timed_out"
