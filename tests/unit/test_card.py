import ast
import tomllib
from pathlib import Path

from sync_core.foundation.settings import ROOT

PACKAGES = {
    "streamlit",
    "pandas",
    "gspread",
    "sqlalchemy",
    "psycopg",
    "rq",
    "redis",
    "plotly",
    "pytest",
}
TOP_LEVEL = (
    "Home.py",
    "pages",
    "sync_core",
    "worker.py",
    "pyproject.toml",
    "tests",
    ".streamlit",
    "README.md",
)


def test_the_top_level_names_exist() -> None:
    assert [name for name in TOP_LEVEL if not Path(ROOT, name).exists()] == []


def test_the_packages_are_direct_dependencies() -> None:
    project = tomllib.loads(Path(ROOT, "pyproject.toml").read_text(encoding="utf-8"))
    lines = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {line.split(";")[0].split("[")[0].split("=")[0].split(">")[0] for line in lines}
    assert names >= PACKAGES


def test_the_packages_are_used() -> None:
    imported = set()
    for folder in ("sync_core", "pages", "tests"):
        for file in Path(ROOT, folder).rglob("*.py"):
            imported |= _imports(file)
    for name in ("Home.py", "worker.py"):
        imported |= _imports(Path(ROOT, name))
    assert imported >= PACKAGES


def _imports(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_every_dependency_carries_its_reason() -> None:
    text = Path(ROOT, "pyproject.toml").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    wanted = [line for line in lines if line.startswith('"') and ("==" in line or ">=" in line)]
    assert wanted
    assert [line for line in wanted if " # " not in line] == []
