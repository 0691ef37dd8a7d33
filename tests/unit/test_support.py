from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.resources import ENTITIES
from sync_core.cli import support_page
from sync_core.foundation.errors import CATALOGUE


def test_the_support_page_is_what_the_catalogues_say() -> None:
    """Where it is not: `make docs`."""
    assert support_page.PAGE.read_text(encoding="utf-8") == support_page.page()


def test_the_support_page_names_every_error_and_every_table() -> None:
    page = support_page.page()
    assert [code for code in (*CATALOGUE, *CELL_CODES) if f"`{code}`" not in page] == []
    assert [entity.title for entity in ENTITIES.values() if f"| {entity.title} |" not in page] == []
