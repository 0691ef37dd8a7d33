"""Pages without a browser: who opens them, and what stands on them."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

Visit = Callable[..., AppTest]


def healthy(page: AppTest) -> AppTest:
    assert not page.exception
    assert [alert.value for alert in page.error if "unexpected" in alert.proto.title] == []
    return page


def links(page: AppTest) -> str:
    return "\n".join(link.value for link in page.main.page_link)
