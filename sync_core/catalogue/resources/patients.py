"""The patients of a clinic group and their appointments, as Cliniko keeps them.

Only what the group's pages need is taken. Notes, Medicare and DVA numbers, concessions, alerts,
invoices, emergency contacts, gender, occupation and referrals stay in Cliniko, and so do the names
that appointments carry.
"""

from sync_core.catalogue.fields import ALL_YEARS, Date, Integer, Moment, Text, Verbatim, YesNo
from sync_core.catalogue.phases import Band, Steps
from sync_core.catalogue.resource import Entity, Resource
from sync_core.foundation.vocabulary import Removal

GONE = ("Cancelled at", "Archived at", "Deleted at")

PATIENTS = Resource(
    name="patients",
    title="Patients",
    icon=":material/groups:",
    held_by="cliniko",
    time_limit=14_400,
    analysis="active_patients",
    entities=(
        Entity(
            name="appointment_types",
            title="Appointment types",
            fields=(
                Verbatim("Cliniko appointment type ID", key=True),
                Verbatim("Name"),
                Verbatim("Category"),
                Integer("Duration"),
                Moment("Archived at"),
                Moment("Created at"),
                Moment("Updated at"),
            ),
            aside=("Created at", "Updated at"),
            removal=Removal.DEACTIVATE,
        ),
        Entity(
            name="patients",
            title="Patients",
            fields=(
                Verbatim("Cliniko patient ID", key=True),
                Verbatim("Name", sensitive=True),
                Verbatim("First name", sensitive=True),
                Verbatim("Preferred name", sensitive=True),
                Verbatim("Last name", sensitive=True),
                Date("Date of birth", sensitive=True, years=ALL_YEARS),
                Verbatim("Email", sensitive=True),
                Verbatim("Phones", sensitive=True),
                Verbatim("Address", sensitive=True),
                Verbatim("City", sensitive=True),
                Verbatim("Postcode", sensitive=True),
                Verbatim("State"),
                Verbatim("Country"),
                Moment("Archived at"),
                Moment("Deleted at"),
                Moment("Merged at"),
                Moment("Created at"),
                Moment("Updated at"),
            ),
            aside=(
                *("First name", "Preferred name", "Last name", "Address", "Postcode", "Country"),
                *("City", "State"),
                *("Deleted at", "Merged at", "Created at", "Updated at"),
            ),
            removal=Removal.DEACTIVATE,
            key_name="patients_org_cliniko_patient_unique",
        ),
        Entity(
            name="appointments",
            title="Appointments",
            fields=(
                Verbatim("Cliniko appointment ID", key=True),
                Moment("Starts at"),
                Moment("Ends at"),
                # no reference: an appointment may have no patient, or one whom we may not read.
                # Personal, for with the time it tells who comes when; of a patient alone it tells
                # nothing, and is open there
                Text("Cliniko patient ID", sensitive=True, points_to="patients"),
                Text("Cliniko practitioner ID"),
                Text("Cliniko business ID"),
                Text("Cliniko appointment type ID", points_to="appointment_types"),
                YesNo("Arrived"),
                YesNo("Did not arrive"),
                *(Moment(label) for label in GONE),
                Moment("Created at"),
                Moment("Updated at"),
            ),
            removal=Removal.DEACTIVATE,
            withdrawn=GONE,
            aside=(
                *("Ends at", "Cliniko practitioner ID", "Cliniko business ID", "Did not arrive"),
                *("Archived at", "Deleted at", "Created at", "Updated at"),
            ),
            lookups=(("Starts at", "Cliniko patient ID"),),
        ),
    ),
    steps=Steps(
        opening=(
            Band(
                "initializing",
                start=0,
                end=12,
                sentence="Syncing in progress...",
                icon="rocket_launch",
            ),
            Band(
                "checking_config",
                start=12,
                end=25,
                sentence="Checking the configuration",
                icon="tune",
            ),
            Band(
                "checking_credentials",
                start=25,
                end=37,
                sentence="Checking the credentials",
                icon="key",
            ),
        ),
        reading={
            "patients": Band(
                "fetching_patients",
                start=37,
                end=50,
                sentence="Fetching patients...",
                counting="Processing {done:,}/{total:,} patients ({percent}%)",
                found="Found {done:,} patients",
                statistic="patients found",
                icon="groups",
            ),
            "appointments": Band(
                "fetching_appointments",
                start=50,
                end=62,
                sentence="Fetching appointments...",
                counting="Fetching appointments ({done:,}/{total:,})",
                found="Found {done:,} appointments",
                statistic="appointments found",
                icon="event",
            ),
            "appointment_types": Band(
                "loading_types",
                start=62,
                end=75,
                sentence="Loading appointment types...",
                counting="Loading appointment types ({done:,}/{total:,})",
                found="Found {done:,} appointment types",
                icon="category",
            ),
        },
        comparing=Band(
            "analyzing",
            start=75,
            end=87,
            sentence="Analyzing data...",
            counting="Analyzing data...",
            found="Analyzing active patients...",
            statistic="active identified",
            icon="monitoring",
        ),
        saving=Band(
            "storing",
            start=87,
            end=100,
            sentence="Processing {done:,} patients from Cliniko",
            counting="Storing {what} in database ({done:,}/{total:,})",
            found="Sync completed. {created}{updated:,} patients updated",
            statistic="patients stored",
            icon="database",
        ),
        main="patients",
    ),
)
