"""What the documents say of the code is so: commands, paths, tables, the ladder of packages."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from sync_core.catalogue.resource import Resource
from sync_core.catalogue.resources import ENTITIES
from sync_core.cli.common import EXIT_CODES
from sync_core.foundation.settings import ROOT, Settings
from sync_core.foundation.vocabulary import OutcomeKind, RunStatus
from sync_core.runs import result_words
from tests.support.commands import find, names

README, ARCHITECTURE, CONTRIBUTING = (
    Path(ROOT, f"{name}.md").read_text(encoding="utf-8")
    for name in ("README", "ARCHITECTURE", "CONTRIBUTING")
)
DOCUMENTS = [
    *(
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "benchmarks/README.md",
        "examples/README.md",
    ),
    *(f"docs/{path.name}" for path in sorted(Path(ROOT, "docs").glob("*.md"))),
]
MADE_UP = ("rooms", "NAME", "/tmp/")  # noqa: S108 - parts of names of examples
every_document = pytest.mark.parametrize("document", DOCUMENTS)


def text_of(document: str) -> str:
    return Path(ROOT, document).read_text(encoding="utf-8")


def code_in(document: str) -> Iterator[str]:
    """Return what is written as code: in backticks, and in blocks that are indented or fenced."""
    text = text_of(document)
    for block in re.findall(r"```.*?\n(.*?)```", text, re.DOTALL):
        yield from block.splitlines()
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for line in text.splitlines():
        if line.startswith("    "):
            yield line.strip().partition("   #")[0].strip()
    yield from (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text))


# Settings, commands, words of make


def test_the_table_of_settings_is_the_code_s() -> None:
    told = re.findall(r"^\| `([A-Z_<>]+)` \| (.+) \|$", README, re.MULTILINE)
    assert told == [(f.metadata["name"], f.metadata["meaning"]) for f in fields(Settings)]


def test_the_table_of_commands_names_every_command() -> None:
    told = set()
    for line in re.findall(r"^\| (`syncdesk .+?) \|", README, re.MULTILINE):
        told |= {name.removeprefix("syncdesk ") for name in re.findall(r"`(.+?)`", line)}
    assert told == set(names())


def test_every_command_says_what_it_does() -> None:
    silent = [name for name in names() if not find(name).help]
    assert silent == []


@every_document
def test_every_command_in_a_document_exists_with_its_options(document: str) -> None:
    for code in code_in(document):
        for words in re.findall(r"\bsyncdesk ([a-z][^;&|)]*)", code):
            name = next((name for name in names() if f"{words} ".startswith(f"{name} ")), None)
            assert name, f"{document} tells of `syncdesk {words}`"
            known = {option for param in find(name).params for option in param.opts}
            told = set(re.findall(r"(?<!\S)--[a-z-]+", words)) - {"--help"}
            assert told <= known, f"{document} tells of `syncdesk {words}`"


def test_the_exit_codes_are_those_of_the_shell() -> None:
    (told,) = re.findall(r"Exit codes: (.+?)\.\n", README, re.DOTALL)
    meanings = dict(re.findall(r"(\d) ([^\d]+)", " ".join(told.split())))
    for status, code in EXIT_CODES.items():
        assert result_words.word(None, status).casefold() in meanings[str(code)]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))


@every_document
def test_every_word_of_make_in_a_document_exists(document: str) -> None:
    told = {word for code in code_in(document) for word in re.findall(r"^make ([a-z]\w*)", code)}
    assert told <= targets()


def test_every_word_of_make_is_explained() -> None:
    told = {word for code in code_in("CONTRIBUTING.md") for word in re.findall(r"make (\w+)", code)}
    assert targets() - told == set()


@every_document
def test_every_module_that_is_run_in_a_document_exists(document: str) -> None:
    for code in code_in(document):
        for name in re.findall(r"python -m ((?:benchmarks|tests|sync_core)[\w.]*)", code):
            path = ROOT / name.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


# Paths


@every_document
def test_every_path_in_a_document_exists(document: str) -> None:
    for code in code_in(document):
        for path in re.findall(
            r"(?<![\w/.:=-])[\w-]+(?:/[\w*-]+)*(?:/|\.(?:py|md|toml|sql))\b", code
        ):
            if not any(part in path for part in MADE_UP):
                assert list(ROOT.glob(path)), f"{document} tells of {path}"
        if re.fullmatch(r"(?:sync_core|tests|pages|benchmarks|docs)(?:/[\w*-]+)+", code):
            assert list(ROOT.glob(code)), f"{document} tells of {code}"


@every_document
def test_every_link_in_a_document_leads_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", text_of(document))
    near = (ROOT / document).parent
    assert [link for link in links if "://" not in link and not (near / link).exists()] == []


def test_the_readme_leads_to_the_other_documents() -> None:
    links = set(re.findall(r"\]\(([^)#]+)\)", README))
    assert {document for document in DOCUMENTS if document != "README.md"} <= links


# The architecture


def packages() -> set[str]:
    found = Path(ROOT, "sync_core").iterdir()
    return {path.name for path in found if (path / "__init__.py").exists()}


def contract() -> list[str]:
    settings = tomllib.loads(text_of("pyproject.toml"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = [found["layers"] for found in contracts if found["type"] == "layers"]
    return list(layers)


def test_the_ladder_is_the_contract() -> None:
    (ladder,) = re.findall(r"```\n(ui\n.*?)```", ARCHITECTURE, re.DOTALL)
    assert ladder.split("\n")[:-1] == contract()


def test_every_package_is_on_the_ladder_and_says_what_it_is_for() -> None:
    steps = [package for step in contract() for package in step.split(" | ")]
    told = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", ARCHITECTURE, re.MULTILINE)
    assert told == steps
    assert set(steps) == packages()


def test_the_statuses_and_kinds_are_all_told() -> None:
    (told,) = re.findall(r"\n(A run is queued.+?)\n\n", ARCHITECTURE, re.DOTALL)
    words = " ".join(told.split())
    missing = [word for word in (*RunStatus, *OutcomeKind) if word.replace("_", " ") not in words]
    assert missing == []


# The example of a resource


def test_the_resource_of_the_example_can_be_declared() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL)
    declared: dict[str, object] = {}
    code = "\n".join(line.removeprefix("   ") for line in block.splitlines())
    exec(compile(ast.parse(code), "CONTRIBUTING.md", "exec"), declared)  # noqa: S102 - our own
    rooms = declared["ROOMS"]
    assert isinstance(rooms, Resource)
    (entity,) = rooms.entities
    assert [field.column for field in entity.keys] == ["room_code"]
    assert {field.refers_to for field in entity.fields if field.refers_to} <= set(ENTITIES)


@every_document
def test_a_document_is_of_one_mind(document: str) -> None:
    marks = re.findall(r"^(?:<{7}|={7}|>{7})(?: .*)?$", text_of(document), re.MULTILINE)
    assert marks == [], f"{document} was merged and not read"
