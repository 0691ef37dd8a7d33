"""How a person wants the pages: the dialog, what it changes, and who hears of it."""

from streamlit.testing.v1 import AppTest

from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role, Theme
from sync_core.operations import access, views
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.organizations.preferences import Preferences
from sync_core.ui.frame import preferences
from tests.support import owner
from tests.support.pages import Visit, rows

UMA = Person("Uma Reed", "uma.reed@example.org", Role.ANALYST, "Front desk")


def arrived(visit: Visit, organization: Organization) -> AppTest:
    """Open the pages as somebody who is in no other test: what they prefer counts everywhere."""
    visit()
    with db.everywhere() as connection:
        people.add(connection, organization.id, UMA)
    return visit("help", UMA.email)


def asked(page: AppTest) -> AppTest:
    return page.button(key="open-preferences").click().run()


def test_a_theme_a_zone_and_the_shortcuts_are_kept(
    visit: Visit, organization: Organization
) -> None:
    page = asked(arrived(visit, organization))
    page.selectbox(key="preferred-zone").select("Pacific/Auckland")
    page.segmented_control(key="preferred-theme").select(Theme.DARK)
    page.toggle(key="preferred-shortcuts").set_value(False)
    page.button(key="save-preferences").click().run()
    assert not page.exception
    told = [caption.value for caption in page.main.caption]
    assert ":material/schedule: Times are in Pacific/Auckland." in told
    again = asked(visit("help", UMA.email))
    assert again.selectbox(key="preferred-zone").value == "Pacific/Auckland"
    assert again.segmented_control(key="preferred-theme").value == Theme.DARK
    assert not again.toggle(key="preferred-shortcuts").value
    assert "switched off for you" in " ".join(caption.value for caption in again.main.caption)


def test_a_zone_that_is_no_longer_known_counts_as_none(
    visit: Visit, organization: Organization
) -> None:
    arrived(visit, organization)
    access.prefer(organization, UMA, Preferences(time_zone="Europe/Kyiv"))
    with owner.connect() as connection:  # as if this machine knew other zones
        gone = ["Mars/Olympus", UMA.email]
        connection.execute("update preferences set time_zone = %s where email = %s", gone)
    page = asked(visit("help", UMA.email))
    assert page.selectbox(key="preferred-zone").value == ""
    assert "Mars" not in " ".join(caption.value for caption in page.main.caption)


def test_nobody_else_is_told_what_somebody_chose_for_their_own_pages(
    visit: Visit, organization: Organization
) -> None:
    page = asked(arrived(visit, organization))
    page.button(key="save-preferences").click().run()
    views.save(organization, UMA, "audit", "Mine", {"days": ["7"]})
    access.open_first(organization, UMA)
    access.prefer(organization, UMA, Preferences(Theme.LIGHT))
    feed = " ".join(text.value for text in visit().main.markdown)
    assert "Nothing has happened yet" in " ".join(one.value for one in visit().main.caption)
    assert UMA.name not in feed
    kept = [row["Event"] for row in rows(visit("audit"), "Runs and actions")]
    assert kept.count("Set their preferences") == 4


def test_the_help_lists_each_shortcut_that_the_pages_know(visit: Visit) -> None:
    page = visit("help")
    (listed,) = [table.value for table in page.table if "`g o`" in str(table.value)]
    assert all(f"`{keys}`" in str(listed) for keys in preferences.SHORTCUTS)
    known = {link.proto.page for link in page.sidebar.page_link}
    led = {path.strip("/") for _, path in preferences.SHORTCUTS.values() if path.strip("/")}
    assert led <= known
