import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_core.audit import exports, hash_chain, proof_check
from sync_core.audit.proof_check import ProofError
from sync_core.catalogue.resources.services import SERVICES
from sync_core.cli import proof_script
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal, Role
from sync_core.operations import administration, syncs
from sync_core.organizations import actions, policies
from sync_core.organizations.actions import SignedIn
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.records.outcome_format import DIGESTS
from sync_core.runs import Run
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask

MANAGER = Person("Mona Lind", "mona.lind@example.org", Role.MANAGER)
ANALYST = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST)
NOWHERE = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1"}
MANY = 4_500  # more than a batch holds


def remove(desk: Desk) -> None:
    """Let removed rows go, as an organization may decide."""
    with db.everywhere() as connection:
        policy = Policy(removal=Removal.DELETE)
        policies.put(connection, desk.organization, "locations", policy)


@pytest.fixture
def synced(desk: Desk) -> Run:
    """Sync twice: rows that are created, updated, removed, failed; one with letters of any kind."""
    remove(desk)
    first = [HEADER, row("L1", City="Perth"), row("L2"), row("L3"), row("L4", Email="nobody")]
    desk.sync("locations", locations=first)
    second = [HEADER, row("L1", City='Ho"bart\\ 何é'), row("L2"), row("L5"), row("L4", Email="no")]
    return desk.sync("locations", locations=second)


@pytest.fixture
def many(desk: Desk) -> Run:
    rows = [row(f"L{number}") for number in range(MANY)]
    return desk.sync("locations", locations=[HEADER, *rows])


def proof(desk: Desk, run: Run, key: str, by: Person = ANA) -> dict[str, Any]:
    made = exports.proof(desk.organization, by, run, keys=[key])
    text = b"".join(exports.write(made))
    found: dict[str, Any] = json.loads(text)
    return found


def holds(found: dict[str, Any]) -> proof_check.Proved:
    return proof_check.check(json.dumps(found))


@pytest.mark.parametrize(
    ("key", "kind"), [("L1", "updated"), ("L3", "removed"), ("L4", "failed"), ("L5", "created")]
)
def test_whatever_happened_to_a_row_can_be_proved(
    desk: Desk, synced: Run, key: str, kind: str
) -> None:
    proved = holds(proof(desk, synced, key))
    assert (proved.facts[:3], proved.facts[4]) == ([synced.id, "locations", kind], key)
    assert proved.values
    if kind == "updated":
        assert proved.values[1] == {"city": ["Perth", 'Ho"bart\\ 何é']}


def test_a_proof_is_small_however_many_rows_and_links_there_are(desk: Desk, many: Run) -> None:
    with db.everywhere() as connection:
        for _ in range(300):
            actions.record(connection, desk.organization.id, ANA, SignedIn())
    for key in ("L0", "L4094", f"L{MANY - 1}"):
        found = proof(desk, many, key)
        assert holds(found).facts[4] == key
        assert len(found["links"]) < 40
        assert len(json.dumps(found)) < 40_000


def test_rows_that_have_no_number_are_proved_by_the_order_of_their_keys(
    desk: Desk, many: Run
) -> None:
    assert many
    remove(desk)
    held = desk.sync("locations", locations=[HEADER, row("L0")])  # so many removals need a person
    run = desk.work(syncs.confirm(desk.organization, held.id, ANA, "test"))
    assert desk.counts(run, "locations")["removed"] == MANY - 1
    for key in ("L1", "L999"):
        assert holds(proof(desk, run, key)).facts[:4] == [run.id, "locations", "removed", None]
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, desk.organization).broken is None


def test_each_entity_of_a_run_has_its_place_in_the_root(desk: Desk) -> None:
    of_brands, of_packages = ([f.label for f in e.fields] for e in SERVICES.entities)
    brands = [of_brands, ["B1", "Northwind", "", ""], ["B2", "Harbor", "", ""]]
    package = ["P1", "B2", "Ten hours", *("" for _ in of_packages[3:])]
    run = desk.sync("services", brands=brands, packages=[of_packages, package])
    assert run.status == "completed", run.message
    for key, entity in (("B2", "brands"), ("P1", "packages")):
        assert holds(proof(desk, run, key)).facts[1] == entity


def scalars(found: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """Return the way to each part of a proof that is no list or object."""
    items = found.items() if isinstance(found, dict) else enumerate(found)
    for name, value in items:
        if isinstance(value, dict | list):
            yield from scalars(value, (*way, name))
        else:
            yield (*way, name)


def other(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return ("1" if value[:1] == "0" else "0") + value[1:]
    return 1 if value is None else value + 1


@pytest.mark.parametrize("key", ["L1", "L3"])
def test_a_proof_holds_nothing_that_could_be_changed(desk: Desk, synced: Run, key: str) -> None:
    with db.everywhere() as connection:
        actions.record(connection, desk.organization.id, ANA, SignedIn())
    found = proof(desk, synced, key)
    held = []
    for way in scalars(found):
        changed = deepcopy(found)
        part = changed
        for name in way[:-1]:
            part = part[name]
        part[way[-1]] = other(part[way[-1]])
        try:
            proof_check.check(json.dumps(changed))
        except ProofError:
            continue
        held.append(way)
    assert held == []


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), letter=st.characters(codec="utf-8"))
def test_one_changed_letter_anywhere_in_the_file_fails_or_says_the_same(
    proof_of_an_update: str, place: float, letter: str
) -> None:
    text = proof_of_an_update
    at = int(place * len(text))
    changed = text[:at] + letter + text[at + 1 :]
    try:
        proved = proof_check.check(changed)
    except ProofError:
        return
    assert proved == proof_check.check(text)
    assert json.loads(changed) == json.loads(text)  # a space for a space


@pytest.fixture
def proof_of_an_update(desk: Desk, synced: Run) -> str:
    return json.dumps(proof(desk, synced, "L1"), indent=1)


def test_what_does_not_fit_is_named(desk: Desk, synced: Run) -> None:
    with db.everywhere() as connection:
        actions.record(connection, desk.organization.id, ANA, SignedIn())
    found = proof(desk, synced, "L1")
    for change, told in (
        ({"values": found["values"].replace("Perth", "Derby")}, "the values of the row are not"),
        ({"facts": found["facts"].replace("updated", "created")}, "the row and its path do not"),
        ({"facts": found["facts"].replace(str(synced.id), "999999")}, "is of run 999999"),
        ({"links": found["links"][:1]}, "do not lead to the head"),
        ({"note": "well done"}, "other parts"),
        ({"links": []}, "a part of it is missing"),
    ):
        with pytest.raises(ProofError, match=told):
            holds({**found, **change})
    with pytest.raises(ProofError, match="not to the one that was noted"):
        proof_check.check(json.dumps(found), "00" * 32)
    twice = json.dumps(found).replace("{", '{"facts": "[]", ', 1)
    with pytest.raises(ProofError, match="not as it was written"):
        proof_check.check(twice)


def test_a_row_that_was_changed_since_cannot_be_proved(
    desk: Desk, synced: Run, tamper: Callable[..., None]
) -> None:
    tamper("update outcomes set name = 'Rosy' where run_id = %s and key = 'L1'", synced.id)
    for key in ("L1", "L5"):  # nor can one beside it
        with pytest.raises(SyncError, match="is not as it was at its end"):
            proof(desk, synced, key)


def test_a_row_whose_values_were_dropped_is_proved_by_their_hash(desk: Desk, synced: Run) -> None:
    before = proof(desk, synced, "L1")
    administration.drop_values(desk.organization, ANA, datetime.now(UTC) + timedelta(minutes=1))
    after = proof(desk, synced, "L1")
    assert (before["facts"], before["values_hash"]) == (after["facts"], after["values_hash"])
    proved = holds(after)
    assert proved.values is None
    assert "were deleted" in proof_check.told(proved)


@pytest.mark.parametrize("person", [MANAGER, ANALYST])
def test_only_who_may_export_and_see_personal_data_may_have_a_proof(
    desk: Desk, synced: Run, person: Person
) -> None:
    with pytest.raises(SyncError) as refused:
        proof(desk, synced, "L1", person)
    assert refused.value.code == "no_permission"


def test_a_proof_is_an_export_with_a_manifest(
    desk: Desk, synced: Run, database: psycopg.Connection
) -> None:
    proof(desk, synced, "L1")
    query = "select detail from actions where kind = 'exported' and run_id = %s"
    ((detail,),) = database.execute(query, [synced.id]).fetchall()
    assert (detail["what"], detail["filters"]) == ("proof of a row", {"key": "L1"})
    assert detail["head"]["link"] == 4


def test_what_cannot_be_proved_is_told(desk: Desk, synced: Run) -> None:
    for key, code in (("L2", "nothing_to_prove"), ("L9", "nothing_to_prove")):
        with pytest.raises(SyncError) as refused:
            proof(desk, synced, key)
        assert refused.value.code == code
    twice = desk.sync("locations", locations=[HEADER, row("L7"), row("L7", City="Derby")])
    with pytest.raises(SyncError, match="row 2 of locations, row 3 of locations") as refused:
        proof(desk, twice, "L7")
    assert refused.value.code == "several_to_prove"
    made = exports.proof(desk.organization, ANA, twice, keys=["L7"], row_number=3)
    text = b"".join(exports.write(made)).decode()
    assert proof_check.check(text).facts[2:4] == ["failed", 3]
    waiting = desk.start("locations")
    with pytest.raises(SyncError, match="it has not ended"):
        proof(desk, waiting, "L7")


# From the shell


def test_the_shell_writes_a_proof_and_checks_it_without_a_database(
    desk: Desk, synced: Run, tmp_path: Path
) -> None:
    file = tmp_path / "proof.json"
    slug = desk.organization.slug
    done = ask("prove", str(synced.id), "L1", "--org", slug, "--file", str(file))
    assert done.exit_code == 0, done.output
    head = json.loads(file.read_text(encoding="utf-8"))["head"]
    shell = [sys.executable, "-c", "from sync_core.cli.main import main; main()"]
    whole = [*shell, "verify", "--proof", str(file), "--head", head]
    checked = subprocess.run(whole, env=os.environ | NOWHERE, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert b"The proof holds" in checked.stdout
    file.write_text(file.read_text(encoding="utf-8").replace("Perth", "Derby"), encoding="utf-8")
    refused = ask("verify", "--proof", str(file))
    assert refused.exit_code == 8
    assert "does not hold: the values of the row" in refused.stdout


def test_the_script_in_docs_is_the_module_and_needs_nothing_but_python(
    desk: Desk, synced: Run, tmp_path: Path
) -> None:
    assert proof_script.SCRIPT.read_text(encoding="utf-8") == proof_script.script()
    script, file = tmp_path / "verify_proof.py", tmp_path / "proof.json"
    script.write_bytes(proof_script.SCRIPT.read_bytes())
    found = proof(desk, synced, "L3")
    file.write_text(json.dumps(found), encoding="utf-8")
    command = [sys.executable, "-I", "-S", str(script), str(file)]
    done = subprocess.run([*command, found["head"]], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b'key: "L3"' in done.stdout
    refused = subprocess.run([*command, "00" * 32], capture_output=True, check=False)
    assert refused.returncode == 1
    assert b"not to the one that was noted" in refused.stderr


# Runs from before there were proofs

AS_BEFORE = f"""
update tallies t set facts_digest = d.facts_digest, values_digest = d.values_digest
    from (select run_id, entity, {DIGESTS} from outcomes where run_id = %(run)s group by 1, 2) d
    where t.run_id = d.run_id and t.entity = d.entity;
delete from outcome_batches where run_id = %(run)s;
do $$ declare one record; before bytea; begin
    for one in select * from links where organization_id = %(org)s order by number loop
        update links set form = 1, jump = null, content = content_of(one.kind, one.subject_id),
            hash = hash_of_link(before, %(org)s, one.number, one.kind, one.subject_id,
                                content_of(one.kind, one.subject_id))
            where organization_id = %(org)s and number = one.number returning hash into before;
    end loop;
end $$
"""


def test_older_links_go_on_holding_and_newer_ones_follow(
    desk: Desk, database: psycopg.Connection, tamper: Callable[..., None]
) -> None:
    old = desk.sync("locations", locations=[HEADER, row("L1"), row("L2")])
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        text = AS_BEFORE.replace("%(run)s", str(old.id))
        database.execute(text.replace("%(org)s", str(desk.organization.id)).encode())
    new = desk.sync("locations", locations=[HEADER, row("L1", City="Derby"), row("L3")])
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, desk.organization).broken is None
    assert holds(proof(desk, new, "L3")).facts[0] == new.id
    with pytest.raises(SyncError, match="before rows could be proved"):
        proof(desk, old, "L1")
    tamper("update outcomes set name = 'Rosy' where run_id = %s and key = 'L1'", old.id)
    with db.everywhere() as connection:
        told = hash_chain.verify(connection, desk.organization).broken
    assert f"link 2: the values in the outcomes of run {old.id} (locations) are not" in str(told)
