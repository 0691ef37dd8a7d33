"""The clinics of the group."""

from sync_core.catalogue.fields import Date, Email, Number, Phone, Text, YesNo
from sync_core.catalogue.resource import Entity, Resource

LOCATIONS = Resource(
    name="locations",
    title="Locations",
    heading="Location Management",
    icon=":material/location_on:",
    entities=(
        Entity(
            name="locations",
            title="Locations",
            fields=(
                Text("Location code", key=True),
                Text("Name", required=True),
                Text("Address"),
                Text("City"),
                Text("Postcode"),
                Text("Country"),
                Phone("Phone"),
                Email("Email"),
                Number("Latitude", minimum=-90, maximum=90),
                Number("Longitude", minimum=-180, maximum=180),
                Date("Opened on"),
                YesNo("Active", default=True),
            ),
            aside=("Postcode", "Country", "Latitude", "Longitude", "Opened on"),
        ),
    ),
)
