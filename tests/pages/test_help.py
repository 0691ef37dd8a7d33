"""Help: what it says of cells is what the fields say."""

from sync_core.catalogue.fields.guide import GUIDES
from sync_core.catalogue.fields.placeholders import PLACEHOLDERS
from tests.support.pages import Visit


def test_the_help_tells_what_may_stand_in_a_cell(visit: Visit) -> None:
    page = visit("help")
    (cells,) = [t.value for t in page.table if "Takes" in t.value.columns]
    assert list(cells["Cell"]) == [f"**{guide.title}**" for guide in GUIDES]
    assert "`$1,234.50` as `1234.50`" in cells["Read as"][4]
    told = " ".join(markdown.value for markdown in page.markdown)
    assert [word for word in PLACEHOLDERS if f"`{word}`" not in told] == []
