from sync_core.catalogue.resources import CATALOGUE
from sync_core.engine.messages import Named, message, undone
from sync_core.engine.tally import Tally

LOCATIONS = CATALOGUE["locations"].entities
THERAPISTS = CATALOGUE["therapists"].entities
SERVICES = CATALOGUE["services"].entities


def test_one_entity_is_told_as_processed() -> None:
    tally = Tally(read=100, created=10, updated=85, unchanged=3, failed=2)
    assert message({"locations": tally}, LOCATIONS) == (
        "Processed 100 locations: 10 created, 85 updated, 3 unchanged, 2 failed."
    )


def test_created_and_updated_show_even_where_they_are_zero() -> None:
    assert message({"locations": Tally()}, LOCATIONS) == (
        "Processed 0 locations: 0 created, 0 updated."
    )


def test_several_entities_are_told_one_by_one_with_each_rule_apart() -> None:
    therapists = Tally(
        read=50, created=10, updated=30, unchanged=5, failed=2, skipped=3, rules={"FLAT": 3}
    )
    schedules = Tally(read=25, created=5, updated=20)
    assert message({"therapists": therapists, "schedules": schedules}, THERAPISTS) == (
        "Therapists: 10 created, 30 updated, 5 unchanged, 2 failed, 3 FLAT skipped."
        " Schedules: 5 created, 20 updated."
    )


def test_removed_stands_last() -> None:
    brands, packages = Tally(created=1, removed=4), Tally(updated=2)
    assert message({"brands": brands, "packages": packages}, SERVICES) == (
        "Brands: 1 created, 0 updated, 4 removed. Packages: 0 created, 2 updated."
    )


def test_the_log_names_rows_with_their_reasons() -> None:
    tally = Tally(read=50, created=10, updated=35, failed=2, skipped=3, rules={"FLAT": 3})
    rows = [
        Named("John Doe", "Email already exists"),
        Named("Jane Smith", "Invalid phone format"),
        *(Named(name, "FLAT employment type", "FLAT") for name in ("Bob Lee", "Al", "Cy")),
    ]
    entities = THERAPISTS[:1]
    assert message({"therapists": tally}, entities, {"therapists": rows}) == (
        "Processed 50 therapists: 10 created, 35 updated,"
        " 2 failed: John Doe (Email already exists), Jane Smith (Invalid phone format),"
        " 3 FLAT skipped: Bob Lee (FLAT employment type), Al (FLAT employment type),"
        " Cy (FLAT employment type)."
    )


def test_the_log_names_twenty_rows_and_counts_the_rest() -> None:
    rows = [Named(f"row {n}", "bad") for n in range(25)]
    told = message({"locations": Tally(read=25, failed=25)}, LOCATIONS, {"locations": rows})
    assert told.endswith("row 19 (bad) and 5 more.")
    assert "row 20" not in told


def test_an_undo_counts_what_it_takes_back_of_all_tables() -> None:
    brands, packages = Tally(removed=1200, created=1), Tally(read=1500, updated=4, unchanged=1496)
    assert undone(7, {"brands": brands, "packages": packages}) == (
        "Undo of run 7: 1,205 undone, 1,496 up to date already."
    )
