"""The sources of a deployment: published files behind TLS, whose server takes its time."""

import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import tokens
from sync_core.organizations import people, source_settings
from tests.chaos.actors import PEOPLE, Lane
from tests.chaos.places import CsvFile
from tests.chaos.sheets import Sheet
from tests.deploy import certificates, machines
from tests.support.unguarded import unguarded

ORGANIZATIONS = ("north", "south", "east", "west")
RESOURCES = ("locations", "admins")
SECONDS = 1.5  # for half of a file


class _Files(BaseHTTPRequestHandler):
    """Hands out the files of a folder, slowly."""

    folder: Path

    def do_GET(self) -> None:
        body = (self.folder / self.path.lstrip("/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for part in (body[: len(body) // 2], body[len(body) // 2 :]):
            time.sleep(SECONDS)
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of those who were cut off, or killed."""


def serve(folder: Path, authority_folder: Path) -> str:
    """Begin to serve a folder; returns the address."""
    certificate, key = certificates.make(authority_folder, machines.HERE, "root")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = type("Files", (_Files,), {"folder": folder})
    server = _Server((machines.address(machines.HERE), 0), handler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://{machines.HERE}:{server.server_port}"


def lanes(folder: Path, address: str) -> dict[str, list[Lane]]:
    """Make organizations, each with resources of its own; returns their lanes by their tokens."""
    made: dict[str, list[Lane]] = {}
    for slug in ORGANIZATIONS:
        (folder / slug).mkdir(parents=True)
        with db.everywhere() as connection:
            organization = organizations.add(connection, slug, slug.title())
            people.add(connection, organization.id, PEOPLE[0])
        token = tokens.add(organization, PEOPLE[0], "deploy", Role.ANALYST)
        made[token] = []
        for name in RESOURCES:
            resource = resources.by_name(name)
            (entity,) = resource.entities
            place = CsvFile(folder / slug / f"{entity.name}.csv")
            sheet = Sheet(place, organization.id, entity, f"{slug} {name}")
            sheet.publish()
            where = f"{address}/{slug}/{entity.name}.csv"
            found = source_settings.parse(organization, resource, where, None, None)
            with db.everywhere() as connection:
                source_settings.save(connection, organization, found)
            unguarded(organization, name)
            made[token].append(Lane(organization, name, (sheet,)))
    return made
