from html import unescape
from zoneinfo import ZoneInfo

from sync_core.runs.progress import Line, as_text
from sync_core.ui.runs import run_log

PERTH = ZoneInfo("Australia/Perth")
LINES = [Line(0.0, "info", "Opening"), Line(1.5, "error", '<b>"&\n</pre><script>')]


def test_a_line_has_its_time_its_category_and_no_line_break() -> None:
    first, second = as_text(LINES, PERTH).splitlines()
    assert first == "1970-01-01 08:00:00 +0800  Opening"
    assert second == '1970-01-01 08:00:01 +0800  ERROR  <b>"& </pre><script>'


def test_the_log_on_a_page_marks_errors_and_is_no_html_of_others() -> None:
    html = run_log.html(LINES, PERTH, '/log.txt?org="x"')
    before, _, after = html.partition("<pre>08:00:00  Opening\n")
    error, end, _ = after.partition("</b>\n</pre>")
    assert end
    assert not {"<", ">", '"'} & set(error.removeprefix('<b class="error">'))
    assert unescape(error) == '<b class="error">08:00:01  ERROR  <b>"& </pre><script>'
    assert 'href="/log.txt?org="x""' in unescape(before)
    assert 'href="/log.txt?org="' not in before
