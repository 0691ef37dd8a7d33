"""Machines of a deployment: network namespaces on one bridge, which may lose sight of each other.

All of it stands in namespaces of the test's own (network, mounts, processes): nothing of it is seen
by this machine, and nothing is left when the test ends, however it ends.
"""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

MACHINES = (
    "sheets",  # where the test itself stands: the sources, and people
    "desk",  # the proxy
    "postgres",
    "redis",
    "pages-1",
    "pages-2",
    "worker-1",
    "worker-2",
    "worker-3",
    "maintenance",
)
HERE = MACHINES[0]
STRANGER = "10.77.0.99"  # another address of the same machine, from which a stranger comes
BRIDGE, CARD = "bridge", "eth0"
NOBODY = "02:00:00:00:00:00"  # address of a card that no machine has
ALONE = "SYNCDESK_DEPLOY_ALONE"
NAMED = 'echo "$0" >/proc/sys/kernel/hostname && exec "$@"'


def stand_alone(arguments: Sequence[str]) -> None:
    """Begin again in namespaces of our own; whoever is in them already goes on."""
    if ALONE not in os.environ:
        unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = [*unshare, sys.executable, "-m", "tests.deploy", *arguments]
        os.execvpe(unshare[0], command, {**os.environ, ALONE: "1"})


def set_up(folder: Path) -> None:
    """Make the network: each machine has a card, an address and a name, which all know."""
    Path("/run/netns").mkdir(exist_ok=True)
    _run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
    hosts = folder / "hosts"
    lines = ["127.0.0.1 localhost", *(f"{address(name)} {name}" for name in MACHINES)]
    hosts.write_text("\n".join(lines) + "\n")
    _run("mount", "--bind", str(hosts), "/etc/hosts")
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", f"{address(HERE)}/24", "dev", BRIDGE)
    _ip("address", "add", f"{STRANGER}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    for name in MACHINES[1:]:
        _plug_in(name)


def _plug_in(name: str) -> None:
    _ip("netns", "add", name)
    _ip("link", "add", name, "type", "veth", "peer", "name", CARD, "netns", name)
    _ip("link", "set", name, "master", BRIDGE, "up")
    _ip("-n", name, "address", "add", f"{address(name)}/24", "dev", CARD)
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "link", "set", CARD, "up")


def address(name: str) -> str:
    """Return the address of a machine."""
    return f"10.77.0.{MACHINES.index(name) + 1}"


def start(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process on a machine; what it says is added to the log."""
    enter = ["nsenter", f"--net=/run/netns/{name}", "unshare", "--uts", "sh", "-c", NAMED, name]
    with log.open("ab") as said:
        return subprocess.Popen(
            [*enter, *as_user(user), *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def as_user(user: str | None) -> list[str]:
    """Return the beginning of a command that another user of this machine is to carry out."""
    if user is None:
        return []
    found = pwd.getpwnam(user)
    return [
        "setpriv",
        f"--reuid={found.pw_uid}",
        f"--regid={found.pw_gid}",
        "--clear-groups",
    ]


@contextmanager
def cut(pairs: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Let the machines of each pair not see each other: what they send is lost without a word."""
    ways = [way for one, other in pairs for way in ((one, other), (other, one))]
    for one, other in ways:
        _ip(*_seen_by(one, "replace", other), "lladdr", NOBODY, "nud", "permanent")
    try:
        yield
    finally:
        for one, other in ways:
            _ip(*_seen_by(one, "delete", other))


def _seen_by(one: str, do: str, other: str) -> list[str]:
    where = ["neighbour", do, address(other), "dev", BRIDGE if one == HERE else CARD]
    return where if one == HERE else ["-n", one, *where]


def connections(name: str, other: str) -> set[int]:
    """Return the ports of a machine from which it is connected to another."""
    enter = [] if name == HERE else ["ip", "netns", "exec", name]
    command = [*enter, "ss", "--no-header", "--tcp", "--numeric", "dst", address(other)]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {int(line.split()[3].rpartition(":")[2]) for line in found.splitlines()}


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
