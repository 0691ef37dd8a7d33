"""What the group offers: brands, and the packages that they sell."""

from sync_core.catalogue.fields import Currency, Date, Integer, Money, Text, Url, YesNo
from sync_core.catalogue.resource import Entity, Order, Resource

SERVICES = Resource(
    name="services",
    title="Brands & packages",
    heading="Brand & Package Management",
    icon=":material/inventory_2:",
    entities=(
        Entity(
            name="brands",
            title="Brands",
            fields=(
                Text("Brand code", key=True),
                Text("Name", required=True),
                Url("Website"),
                YesNo("Active", default=True),
            ),
        ),
        Entity(
            name="packages",
            title="Packages",
            fields=(
                Text("Package code", key=True),
                Text("Brand code", required=True, refers_to="brands"),
                Text("Name", required=True),
                Money("Price", currency="Currency"),
                Currency("Currency"),
                Integer("Sessions", minimum=0),
                Integer("Duration", minimum=0, aliases=("Duration (minutes)", "Minutes")),
                Date("Valid from"),
                Date("Valid until"),
                YesNo("Active", default=True),
            ),
            aside=("Currency",),  # the price tells it
            orders=(Order("Valid until", than="Valid from", or_equal=True),),
        ),
    ),
)
