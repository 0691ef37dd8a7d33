"""The audit trail from the shell: whether it is whole, as a file, and the proof of a row."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sync_core import organizations, runs
from sync_core.audit import exports, hash_chain, heads, proof_check
from sync_core.audit.proof_check import ProofError
from sync_core.cli.common import (
    as_person,
    command,
    json_option,
    of_organization,
    organization,
    prepare,
    prepared,
    who,
)
from sync_core.cli.record_history import spellings
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import ActionKind, RunStatus
from sync_core.organizations import Organization
from sync_core.runs.filters import Filter

BROKEN = 8


@click.command()
@click.option("--org", metavar="SLUG", help="Only this organization.")
@click.option(
    "--head",
    "noted",
    metavar="[HASH]",
    is_flag=False,
    flag_value="",
    help="Print the heads; with a hash: is it in a chain?",
)
@click.option("--since-last", is_flag=True, help="From where the last check has ended.")
@click.option(
    "--heads",
    "heads_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Compare each line of a file of heads with the chains.",
)
@click.option(
    "--proof",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Check a proof of a row, without the database; --head HASH is where it must lead.",
)
@json_option
@command
def verify(
    org: str | None,
    noted: str | None,
    heads_file: Path | None,
    proof: Path | None,
    *,
    since_last: bool,
    as_json: bool,
) -> int:
    """Walk the audit's chain, and name the first broken link."""
    if proof:
        return _check_proof(proof, noted, as_json=as_json)
    prepare()
    with db.everywhere() as connection:
        found = [organizations.get(connection, org)] if org else organizations.everyone(connection)
    if heads_file:
        return _check_heads(heads_file, as_json=as_json)
    if noted == "":
        return _print_heads(found, as_json=as_json)
    return _walk(found, noted, since_last=since_last, as_json=as_json)


def _walk(
    found: Sequence[Organization], noted: str | None, *, since_last: bool, as_json: bool
) -> int:
    verdicts = {one.slug: _verify(one, since_last=since_last) for one in found}
    lost = bool(noted) and not any(_holds(one, str(noted)) for one in found)
    if as_json:
        click.echo(
            json.dumps({"organizations": verdicts, "head_found": not lost if noted else None})
        )
    else:
        click.echo("\n".join(_told(slug, verdict) for slug, verdict in verdicts.items()))
        if lost:
            click.echo("The noted head is in none of these chains: one was rewritten.")
    return BROKEN if lost or any(verdict["broken"] for verdict in verdicts.values()) else 0


def _check_proof(path: Path, noted: str | None, *, as_json: bool) -> int:
    """Say what a proof shows, or what does not fit."""
    try:
        proved = proof_check.check(path.read_text(encoding="utf-8"), noted or None)
    except UnicodeDecodeError:
        told, code = "it is no text", BROKEN
    except ProofError as error:
        told, code = str(error), BROKEN
    else:
        if as_json:
            click.echo(json.dumps({"proved": proved._asdict()}))
        else:
            click.echo(proof_check.told(proved))
        return 0
    click.echo(json.dumps({"wrong": told}) if as_json else f"The proof does not hold: {told}.")
    return code


def _check_heads(path: Path, *, as_json: bool) -> int:
    """Compare a file of heads with the chains, line by line."""
    with db.everywhere() as connection:
        fitting, wrong = heads.check(connection, path)
    if as_json:
        click.echo(json.dumps({"fitting": fitting, "wrong": wrong}))
    else:
        click.echo("\n".join([*wrong, f"{fitting} of {fitting + len(wrong)} noted heads fit."]))
    return BROKEN if wrong or not fitting else 0


def _print_heads(found: Sequence[Organization], *, as_json: bool) -> int:
    """Print the heads as they are, to be noted elsewhere; nothing is checked."""
    with db.everywhere() as connection:
        heads_now = {one.slug: hash_chain.head(connection, one.id) for one in found}
    if as_json:
        listed = {
            slug: {"link": link, "hash": hashed} for slug, (link, hashed) in heads_now.items()
        }
        click.echo(json.dumps({"heads": listed}))
    else:
        click.echo(
            "\n".join(f"{slug}\t{link}\t{hashed}" for slug, (link, hashed) in heads_now.items())
        )
    return 0


def _holds(organization: Organization, noted: str) -> bool:
    with db.within(organization.id) as connection:
        return hash_chain.holds(connection, organization, noted)


def _verify(organization: Organization, *, since_last: bool) -> dict[str, Any]:
    with db.within(organization.id) as connection:
        verdict = hash_chain.verify(connection, organization, since_last=since_last)
        hash_chain.keep(connection, organization, verdict)
    return {
        "links": verdict.links,
        "head": verdict.head.hex() if verdict.head else None,
        "through": verdict.at.isoformat(timespec="seconds"),
        "broken": verdict.broken,
    }


def _told(slug: str, verdict: Mapping[str, Any]) -> str:
    if verdict["broken"]:
        return f"{slug}: the chain is broken: {verdict['broken']}."
    through = f"whole through {verdict['through']}"
    return f"{slug}: {through}, {count(verdict['links'], 'link')}, head {verdict['head']}."


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.argument("key", required=False)
@click.option("--entity", metavar="TABLE", help="Of a run that keeps several tables.")
@click.option("--row", "row_number", type=click.IntRange(1), help="The row of the sheet.")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Else run-RUN-proof.json.",
)
@of_organization
@as_person
@prepared
def prove(
    run_id: int,
    key: str | None,
    entity: str | None,
    row_number: int | None,
    path: Path | None,
    org: str,
    email: str | None,
) -> None:
    """Write the proof of what RUN did to the row with this KEY, for anybody to check.

    The parts of a key are separated by commas.
    """
    if key is None and row_number is None:
        raise click.UsageError("name the row by its key, or by --row")
    here = organization(org)
    with db.within(here.id) as connection:
        run = runs.get(connection, here.id, run_id)
    keys = () if key is None else spellings(key)
    made = exports.proof(
        here, who(email, here), run, keys=keys, entity=entity, row_number=row_number
    )
    written = exports.save(made, path or Path(made.file))
    click.echo(f"Wrote the proof to {path or made.file}, SHA-256 {written.digest.hexdigest()}.")


@click.command()
@click.option("--csv", "path", required=True, type=click.Path(path_type=Path), metavar="FILE")
@click.option("--since", type=click.DateTime(), help="From this moment on, UTC.")
@click.option("--until", type=click.DateTime(), help="Before this moment, UTC.")
@click.option("--resource", multiple=True)
@click.option("--status", multiple=True, type=click.Choice([status.value for status in RunStatus]))
@click.option("--trigger", multiple=True)
@click.option("--person", multiple=True, metavar="EMAIL")
@click.option("--team", multiple=True)
@click.option("--error", multiple=True, metavar="CODE")
@click.option("--action", multiple=True, type=click.Choice(list(ActionKind)))
@click.option("--search", default="", help="Each word occurs in the entry.")
@click.option("--bom", is_flag=True, help="Begin with a byte order mark, for Excel.")
@of_organization
@as_person
@prepared
def export(path: Path, org: str, email: str | None, *, bom: bool, **asked: Any) -> None:  # noqa: ANN401 - the options of the filter
    """Write the audit trail, or what the filters find of it, as CSV."""
    here = organization(org)
    asked |= {name: _in_utc(asked[name]) for name in ("since", "until")}
    wanted = Filter(organizations=(here.id,), **asked)
    file = exports.trail([(here, who(email, here))], wanted, bom=bom)
    written = exports.save(file, path)
    click.echo(f"Wrote {written.rows} entries to {path}, SHA-256 {written.digest.hexdigest()}.")


def _in_utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--csv", "path", required=True, type=click.Path(path_type=Path), metavar="FILE")
@click.option("--skipped", is_flag=True, help="Those that a rule left out, instead.")
@of_organization
@as_person
@prepared
def rejects(run_id: int, path: Path, org: str, email: str | None, *, skipped: bool) -> None:
    """Write the failed rows of a run, with what is wrong and how to fix it."""
    found = organization(org)
    with db.within(found.id) as connection:
        run = runs.get(connection, found.id, run_id)
    export = exports.rejects(found, who(email, found), run, skipped=skipped)
    click.echo(f"Wrote {count(exports.save(export, path).rows, 'row')} to {path}.")
