"""What may be asked for, who may, and every way in: one table for the tests of all of them.

Who may follows from the permission and from `people.MAY`. A new operation, route, command or page
without a row fails in `tests/unit/test_ways_in.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation.vocabulary import Role
from sync_core.organizations.people import Permission, Person

Call = tuple[str, str]  # method and path, as the route writes it
Needs = tuple[Permission, ...]  # one of these; none: everybody, signed in or not


@dataclass(frozen=True)
class Action:
    """Something that may be asked for, and how."""

    needs: Needs | None  # None: the shell of the machine alone
    also: Needs = ()  # all of these, too
    verbs: tuple[str, ...] = ()  # operations
    routes: tuple[Call, ...] = ()
    commands: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()  # their keys on the page of locations, which has a run on its way

    def is_open_to(self, role: Role) -> bool:
        """Return whether a person of this role may do it."""
        if self.needs is None:
            return False
        person = Person("", "", role)
        some = not self.needs or any(person.may(one) for one in self.needs)
        return some and all(person.may(one) for one in self.also)


def get(*paths: str) -> tuple[Call, ...]:
    return tuple(("GET", path) for path in paths)


def post(*paths: str) -> tuple[Call, ...]:
    return tuple(("POST", path) for path in paths)


ACTIONS: dict[str, Action] = {
    "read how to ask": Action((), routes=get("/openapi.json", "/reference", "/v1/verify_proof.py")),
    "end mails by the link in one": Action(  # it holds a ticket, which names who may
        (), routes=(*get("/mails-off"), *post("/mails-off"))
    ),
    "come and go": Action(
        ("read",),
        verbs=(
            "access.sign_in",
            "access.sign_out",
            "access.accept",
            "access.decline",
            "access.open_first",
            "access.prefer",
        ),
        pages=("overview", "help"),
        routes=get("/v1/organizations"),
    ),
    "see runs": Action(
        ("read",),
        pages=("runs",),
        routes=(
            *get(
                "/v1/runs",
                "/v1/runs/{run}",
                "/v1/runs/{run}/outcomes",
                "/v1/runs/{run}/events",
                "/v1/runs/{run}/log.txt",
                "/v1/resources",
                "/admin-portal/{resource}/sync-status",
                "/v1/sync/status/{sync_id}",
                "/v1/sync/dashboard/{organization_id}",
                "/v1/sync/history/{organization_id}",
                "/v1/sync/stream/{sync_id}",
                "/sync-sheets-bg",
                "/v1/cliniko/sync-logs/{organization_id}",
                "/v1/cliniko/status/{organization_id}",
            ),
            ("SOCKET", "/v1/runs/{run}/socket"),
        ),
    ),
    "see rows": Action(
        ("read",),
        routes=get(
            "/v1/records/{entity}",
            "/v1/records/{entity}/history",
            "/v1/records/{entity}/snapshot",
            "/v1/cliniko/active-patients/{organization_id}",
        ),
        pages=tuple(CATALOGUE),
    ),
    "see sources": Action(("read",), routes=get("/v1/sources"), pages=("sources",)),
    "see schedules": Action(("read",), routes=get("/v1/schedules", "/v1/schedules/{resource}")),
    "save a view": Action(("read",), verbs=("views.save", "views.forget")),
    "be told": Action(
        ("read",),
        verbs=("notifications.wish", "notifications.try_mail", "notifications.end_mails"),
        pages=("inbox", "notifications"),
    ),
    "start a sync": Action(
        ("sync",),
        verbs=("syncs.start", "syncs.preview", "syncs.retry", "uploads.start"),
        routes=(
            *post(
                "/v1/runs",
                "/v1/runs/{run}/retry",
                "/v1/sync/start/{organization_id}",
                "/v1/cliniko/sync-all/{organization_id}",
                "/v1/cliniko/sync/{organization_id}",
            ),
            ("PUT", "/admin-portal/{resource}/sync-data-master"),
        ),
        commands=("sync", "retry"),
        buttons=("sync-locations", "preview-locations"),
    ),
    "start a sync of everything": Action(
        ("sync",),
        verbs=("syncs.start_all",),
        routes=post("/sync-sheets-bg", "/sync-sheets"),
    ),
    "decide on a plan": Action(
        ("sync",),
        verbs=("syncs.confirm", "syncs.decline"),
        routes=post("/v1/runs/{run}/confirm"),
        commands=("confirm",),
    ),
    "cancel a sync": Action(
        ("sync",),
        verbs=("syncs.cancel",),
        routes=(
            *post("/v1/runs/{run}/cancel"),
            ("DELETE", "/v1/sync/cancel/{sync_id}"),
        ),
        commands=("cancel",),
        buttons=("cancel-locations",),
    ),
    "take a sync back": Action(
        ("sync",),
        verbs=("syncs.undo",),
        routes=post("/v1/runs/{run}/undo"),
        commands=("undo",),
    ),
    "try a source": Action(
        ("sync",),
        verbs=("source_probes.probe_sources",),
        routes=(
            *post("/v1/resources/{resource}/source-test"),
            *get("/v1/cliniko/test-connection/{organization_id}"),
        ),
        buttons=("test-locations",),
    ),
    "pause a schedule": Action(
        ("sync",),
        verbs=("schedules.pause", "schedules.resume", "schedules.run_now"),
        routes=post(
            "/v1/schedules/{resource}/pause",
            "/v1/schedules/{resource}/resume",
            "/v1/schedules/{resource}/run",
        ),
        commands=("schedule pause", "schedule resume", "schedule run"),
    ),
    "set a schedule": Action(
        ("administer",),
        verbs=("schedules.put", "schedules.remove"),
        routes=(("PUT", "/v1/schedules/{resource}"), ("DELETE", "/v1/schedules/{resource}")),
        commands=("schedule set", "schedule remove"),
    ),
    "analyze": Action(("analyze",), pages=("analytics",)),
    "see the trail": Action(("audit",), verbs=("chain_checks.verify",), pages=("audit",)),
    "take a file": Action(
        ("export",),
        routes=get(
            "/v1/audit.csv",
            "/v1/runs/{run}/outcomes.csv",
            "/v1/records/{entity}/history.csv",
            "/v1/records/{entity}/rows.csv",
            "/v1/prepared/{file}.csv",
        ),
        commands=("export",),
    ),
    "prove a row": Action(
        ("export",),
        also=("personal",),
        routes=get("/v1/runs/{run}/proof.json"),
        commands=("prove",),
    ),
    "take the rows to fix": Action(
        ("export", "sync"), routes=get("/v1/runs/{run}/rejects.csv"), commands=("rejects",)
    ),
    "change settings": Action(
        ("administer",),
        verbs=(
            "administration.set_four_eyes",
            "administration.set_policy",
            "administration.set_source",
            "administration.set_retention",
            "administration.drop_values",
        ),
        commands=("source set",),
        pages=("settings",),
    ),
    "change people": Action(
        ("administer",),
        verbs=(
            "administration.put_person",
            "administration.remove_person",
            "administration.let_account_in",
        ),
        commands=("person set", "person remove", "person let-in"),
    ),
    "change tokens": Action(
        ("administer",),
        verbs=("tokens.add", "tokens.revoke"),
        commands=("token add", "token revoke"),
    ),
    "change channels": Action(
        ("administer",),
        verbs=(
            "notifications.add_channel",
            "notifications.remove_channel",
            "notifications.try_channel",
        ),
    ),
    "add an organization": Action(
        None, verbs=("administration.add_organization",), commands=("org add",)
    ),
    "allow a source": Action(
        None,
        verbs=("administration.allow_source", "administration.forbid_source"),
        commands=("source allow", "source forbid"),
    ),
}


def of_way(way: str) -> Iterator[tuple[Any, Action]]:
    """Return each way in of a kind, "routes" or "verbs", with what it asks for."""
    for action in ACTIONS.values():
        for one in getattr(action, way):
            yield one, action


ROUTES: dict[Call, Action] = dict(of_way("routes"))
VERBS: dict[str, Needs | None] = {one: action.needs for one, action in of_way("verbs")}
COMMANDS: dict[str, Action] = dict(of_way("commands"))
PAGES: dict[str, Action] = dict(of_way("pages"))
BUTTONS: dict[str, Action] = dict(of_way("buttons"))
MADE_BY_A_PAGE = ("GET", "/v1/prepared/{file}.csv")  # before anybody can ask for it
FILE_NAMES = (".csv", ".txt", "/proof.json")
FILES = [one for one in ROUTES if one[1].endswith(FILE_NAMES) and one != MADE_BY_A_PAGE]
