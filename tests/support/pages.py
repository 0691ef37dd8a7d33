"""Pages without a browser: who opens them, and what stands on them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from xml.etree import ElementTree as ET

from streamlit.testing.v1 import AppTest

Visit = Callable[..., AppTest]


def healthy(page: AppTest) -> AppTest:
    assert not page.exception
    assert [alert.value for alert in page.error if "unexpected" in alert.proto.title] == []
    return page


def rows(page: AppTest, alt: str = "") -> list[dict[str, str]]:
    """Read the rows of all tables that are called so, each cell by its column."""
    bodies = [element.proto.body for element in page.get("html")]
    tables = [ET.fromstring(one) for one in bodies if 'class="rows' in one]  # noqa: S314 - our own
    return [
        {cell.attrib["data-label"]: "".join(cell.itertext()).strip() for cell in row.iter("td")}
        for table in tables
        if alt in table.attrib["aria-label"]
        for row in table.iter("tr")
        if row.find("td") is not None
    ]


def column(page: AppTest, label: str, alt: str = "") -> list[str]:
    """Read a column of all tables that have it."""
    return [row[label] for row in rows(page, alt) if label in row]


def links(page: AppTest) -> str:
    return "\n".join(link.value for link in page.main.page_link)


@dataclass(frozen=True)
class Strip:
    """What the strip of a resource says."""

    kind: str  # its colour
    word: str
    text: str
    since: str
    how_far: str
    percent: int


def strip(page: AppTest) -> Strip:
    """Read the first strip of the page."""
    body = next(e.proto.body for e in page.get("html") if 'class="strip ' in e.proto.body)
    found = re.search(
        r'class="strip (\w+)".*?<strong[^>]*><span[^>]*>\w+</span>(.*?)</strong>(.*?)</p>'
        r'.*?aria-valuenow="(\d+)".*?class="since"><span>(.*?)</span><span[^>]*>(.*?)</span>',
        body,
        re.DOTALL,
    )
    assert found, body
    kind, word, text, percent, since, how_far = (unescape(part).strip() for part in found.groups())
    since = re.sub("<[^>]*>", "", since)
    return Strip(kind, word, text, since, how_far, int(percent))
