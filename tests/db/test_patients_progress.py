"""What people see while patients are synced: eight steps, and counts that rise in their own."""

from itertools import groupby, pairwise

from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation import db
from sync_core.operations import syncs
from sync_core.runs import attempts
from tests.support.clinic import Clinic
from tests.support.desk import ANA
from tests.support.listener import Listener

STEPS = CATALOGUE["patients"].steps
BANDS = {band.name: band for band in STEPS.bands}


def test_the_eight_steps_come_in_their_order_and_their_part_of_the_bar(clinic: Clinic) -> None:
    with Listener() as listener:
        clinic.sync()
    news = [told for _, told in listener.news]
    phases = [phase for phase, _ in groupby(news, lambda told: told.phase)]
    assert phases == [band.name for band in STEPS.bands]
    for told in news:
        assert BANDS[told.phase].start <= told.percent <= BANDS[told.phase].end
    assert [told.percent for told in news] == sorted(told.percent for told in news)
    assert news[-1].percent == 100


def test_counts_rise_in_their_own_step_and_in_no_other(clinic: Clinic) -> None:
    with Listener() as listener:
        clinic.sync()
    news = [told for _, told in listener.news]
    for before, after in pairwise(news):
        risen = {name for name, n in after.counts.items() if n != before.counts.get(name, 0)}
        own = {band.statistic for band in (BANDS[before.phase], BANDS[after.phase])}
        assert risen <= own
        assert all(after.counts.get(name, 0) >= n for name, n in before.counts.items())
    assert news[-1].counts == {
        "patients found": 648,
        "appointments found": 1247,
        "active identified": 89,
        "patients stored": 648,
    }


def test_the_sentences_are_those_that_people_know(clinic: Clinic) -> None:
    with Listener() as listener:
        clinic.sync()
    said = {told.sentence for _, told in listener.news}
    assert {
        "Syncing in progress...",
        "Checking the configuration",
        "Checking the credentials",
        "Fetching patients...",
        "Found 648 patients",
        "Fetching appointments...",
        "Loading appointment types...",
        "Analyzing active patients...",
        "Processing 648 patients from Cliniko",
    } <= said
    assert any(s.startswith("Storing patients in database (") for s in said)


def test_the_log_tells_of_each_50_patients_or_10_percent_that_are_read_and_stored(
    clinic: Clinic,
) -> None:
    run = clinic.sync()
    with db.everywhere() as connection:
        told = [x.text for x in attempts.joined_log(attempts.of_run(connection, run.id))]
    for begin, end in (("Processing ", " patients ("), ("Storing patients in database (", ")")):
        counted = [text for text in told if text.startswith(begin) and end in text]
        done = [int(text.removeprefix(begin).partition("/")[0]) for text in counted]
        assert 5 <= len(done) <= 10, told
        assert done == sorted(set(done))
        assert done[-1] > 648 * 0.8


def test_the_log_of_an_undo_tells_of_no_patients_from_cliniko(small: Clinic) -> None:
    undone = small.sync()
    undo = small.work(syncs.undo(small.organization, undone.id, ANA, "test"))
    ended = small.work(syncs.confirm(small.organization, undo.id, ANA, "test"))
    assert ended.status == "completed"
    with db.everywhere() as connection:
        told = [x.text for x in attempts.joined_log(attempts.of_run(connection, undo.id))]
    assert told
    assert not any("from Cliniko" in text or "Sync completed" in text for text in told)
