import re

from sync_core.runs.progress import SHEET_BANDS, Amount, Download, Progress
from sync_core.runs.traffic import Traffic
from sync_core.ui.runs import progress_panel

NASTY = '<script>alert(1)</script> "x" & :red[y]'


def panel(current: Progress, left: str = "", told: str = "") -> str:
    return progress_panel.html(current, SHEET_BANDS, 12.3, left, told)


def figures(html: str) -> dict[str, str]:
    return dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", html))


def steps(html: str) -> list[tuple[str, str]]:
    return re.findall(r'</span>(\w+)<span class="unseen">, ([\w ]+)</span>', html)


def test_steps_are_done_under_way_or_to_come() -> None:
    assert steps(panel(Progress(phase="processing"))) == [
        ("Downloading", "done"),
        ("Processing", "under way"),
        ("Saving", "to come"),
    ]
    assert {how for _, how in steps(panel(Progress()))} == {"to come"}


def test_the_figures_are_those_that_are_known() -> None:
    reading = Progress(
        phase="downloading",
        amount=Amount(1_848),
        percent=37,
        download=Download(2_100_000, 4_000_000),
    )
    assert figures(panel(reading, left="about 20 s left")) == {
        "Done": "37%",
        "Rows": "1,848",
        "Downloaded": "2.1 MB of 4.0 MB",
        "Time": "12 s",
        "Left": "about 20 s",
    }
    saving = Progress(
        phase="saving", amount=Amount(40, 100, "changes"), counts={"created": 95, "failed": 2}
    )
    assert figures(panel(saving)) == {
        "Done": "0%",
        "Changes": "40 of 100",
        "Created": "95",
        "Failed": "2",
        "Time": "12 s",
    }


def test_of_a_source_that_is_asked_page_by_page_rows_bytes_and_requests_are_told() -> None:
    reading = Progress(
        phase="downloading", amount=Amount(20_000, 500_000), traffic=Traffic(6, 3_141_592)
    )
    told = figures(panel(reading))
    assert (told["Rows"], told["Downloaded"], told["Requests"]) == (
        "20,000 of 500,000",
        "3.1 MB",
        "6",
    )


def test_a_total_that_was_exceeded_is_none() -> None:
    assert figures(panel(Progress(phase="downloading", amount=Amount(5, 4))))["Rows"] == "5"


def test_text_from_outside_is_no_html() -> None:
    html = panel(Progress(phase=NASTY, counts={NASTY: 1}), told=NASTY, left=NASTY)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 3
