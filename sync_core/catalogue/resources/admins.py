"""The people who administer the group's systems."""

from sync_core.catalogue.fields import Choice, Email, Text, YesNo
from sync_core.catalogue.resource import Entity, Resource

ADMINS = Resource(
    name="admins",
    title="Clinic admins",
    heading="Admin Management",
    icon=":material/shield_person:",
    entities=(
        Entity(
            name="admins",
            title="Clinic admins",  # so that nobody takes them for people of this program
            fields=(
                Email("Email", key=True, aliases=("E-mail",)),
                Text("Name", required=True),
                Choice("Role", options=("Super admin", "Admin", "Viewer")),
                Text("Team"),
                YesNo("Active", default=True),
            ),
        ),
    ),
)
