"""The therapists and the hours in which they work."""

from sync_core.catalogue.fields import Choice, Date, Email, Money, Phone, Text, Time, YesNo
from sync_core.catalogue.resource import Entity, Order, Resource, Skip

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT = {short: day for day in WEEKDAYS for short in (day[:2], day[:3])} | {
    "Tues": "Tuesday",
    "Thur": "Thursday",
    "Thurs": "Thursday",
}

THERAPISTS = Resource(
    name="therapists",
    title="Therapists",
    heading="Therapist Management",
    icon=":material/stethoscope:",
    entities=(
        Entity(
            name="therapists",
            title="Therapists",
            fields=(
                Text("Therapist ID", key=True),
                Text("Name", required=True),
                Email("Email", unique=True, aliases=("E-mail",)),
                Phone("Phone"),
                Choice("Employment type", options=("Full time", "Part time", "Contract", "FLAT")),
                Text("Location", refers_to="locations"),
                Money("Hourly rate", sensitive=True),
                Date("Start date"),
                YesNo("Active", default=True),
            ),
            aside=("Start date",),
            skips=(Skip("FLAT", "Employment type", "FLAT", "FLAT employment type"),),
        ),
        Entity(
            name="schedules",
            title="Schedules",
            fields=(
                Text("Therapist ID", key=True, refers_to="therapists"),
                Choice("Weekday", key=True, options=WEEKDAYS, synonyms=SHORT),
                Time("Start", key=True),
                Time("End", required=True, may_end_the_day=True),
                Text("Location", refers_to="locations"),
            ),
            orders=(Order("End", than="Start"),),
        ),
    ),
)
