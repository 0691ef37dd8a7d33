"""The guide to cells says what the fields do."""

import pytest

from sync_core.catalogue import resources
from sync_core.catalogue.fields import Moment, Verbatim
from sync_core.catalogue.fields.guide import GUIDES, Guide
from tests.support.cells import answers

WRITTEN_BY_SYSTEMS = {Moment, Verbatim}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.title)
def test_every_example_is_read_or_refused_as_the_guide_says(guide: Guide) -> None:
    assert [value for value, _ in answers(guide.sample, list(guide.read))] == [*guide.read.values()]
    for value, code in answers(guide.sample, guide.refused):
        assert value is None
        assert code is not None


def test_every_kind_of_field_that_people_fill_in_is_in_the_guide() -> None:
    used = {type(field) for entity in resources.ENTITIES.values() for field in entity.fields}
    assert used - WRITTEN_BY_SYSTEMS == {type(guide.sample) for guide in GUIDES}
