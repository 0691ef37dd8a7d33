import ast
from pathlib import Path

import pytest

from sync_core.analytics import analyses
from sync_core.analytics.analyses import ANALYSES
from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.resources import CATALOGUE, ENTITIES
from sync_core.foundation import tables
from sync_core.foundation.settings import ROOT

RESOURCES = list(CATALOGUE.values())


def test_every_file_of_resources_is_in_the_catalogue() -> None:
    files = {path.stem for path in Path(ROOT, "sync_core/catalogue/resources").glob("[!_]*.py")}
    assert files == set(CATALOGUE)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_every_resource_has_a_page_of_two_lines(resource: Resource) -> None:
    page = Path(ROOT, "pages", f"{resource.name}.py")
    assert page.exists(), f"{resource.name} has no page: copy pages/locations.py"
    statements = ast.parse(page.read_text(encoding="utf-8")).body
    assert len([s for s in statements if not isinstance(s, ast.Expr) or _is_call(s)]) <= 2


def test_what_a_resource_declares_by_name_is_there() -> None:
    declared = {resource.analysis for resource in RESOURCES if resource.analysis}
    assert declared == set(ANALYSES)
    assert all(analyses.of(resource) for resource in RESOURCES if resource.analysis)


GENERAL = (
    "api audit cli engine execution foundation operations organizations records runs ui".split()
)


@pytest.mark.parametrize("package", GENERAL)
def test_no_general_package_knows_a_single_resource(package: str) -> None:
    """What is special about a resource is declared with it."""
    for path in Path(ROOT, "sync_core", package).rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
        assert not texts & set(CATALOGUE), f"{path} knows a resource by its name"


def _is_call(statement: ast.Expr) -> bool:
    return isinstance(statement.value, ast.Call)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda entity: entity.name)
def test_every_entity_is_sound(entity: Entity) -> None:
    labels = [field.label for field in entity.fields]
    columns = [field.column for field in entity.fields]
    assert entity.keys, f"{entity.name} has no key"
    assert len(set(columns)) == len(columns), f"{entity.name} has a column twice"
    assert not set(columns) & {"organization_id", "row_number"}, "a column of ours"
    assert not any(column.startswith("_") for column in columns)
    for skip in entity.skips:
        assert skip.label in labels
    for order in entity.orders:
        assert {order.label, order.than} <= set(labels)
    for field in entity.fields:
        if field.refers_to:
            assert len(ENTITIES[field.refers_to].keys) == 1, "only a key of one part is referred to"


def test_entities_stand_after_those_that_they_refer_to() -> None:
    for resource in RESOURCES:
        seen: set[str] = set()
        own = {entity.name for entity in resource.entities}
        for entity in resource.entities:
            refers = {field.refers_to for field in entity.fields if field.refers_to}
            assert refers & own <= seen, f"{entity.name} stands before what it refers to"
            seen.add(entity.name)


def test_an_entity_belongs_to_one_resource_and_no_table_of_ours() -> None:
    names = [entity.name for resource in RESOURCES for entity in resource.entities]
    assert len(set(names)) == len(names)
    ours = {"runs", "outcomes", "actions", "people", "organizations", "sources", "leases"}
    assert not set(names) & ours
    assert set(names) <= set(tables.metadata.tables)


def test_a_resource_of_one_table_has_its_name() -> None:
    named = {r.name: (r.title, r.main.title) for r in RESOURCES if len(r.entities) == 1}
    assert {name for name, (title, table) in named.items() if title != table} == set()
