"""The patients of a clinic group and their appointments, as Cliniko keeps them.

Only what the group's pages need is taken. Notes, Medicare and DVA numbers, concessions, alerts,
invoices, emergency contacts, gender, occupation and referrals stay in Cliniko, and so do the names
that appointments carry.
"""

from sync_core.catalogue.fields import Date, Integer, Moment, Text, Verbatim, YesNo
from sync_core.catalogue.phases import Band, Steps
from sync_core.catalogue.resource import Entity, Resource

GONE = ("Cancelled at", "Archived at", "Deleted at")

PATIENTS = Resource(
    name="patients",
    title="Patients",
    icon=":material/groups:",
    held_by="cliniko",
    entities=(
        Entity(
            name="appointment_types",
            title="Appointment types",
            fields=(
                Text("Cliniko appointment type ID", key=True),
                Verbatim("Name"),
                Verbatim("Category"),
                Integer("Duration"),
                Moment("Archived at"),
                Moment("Created at"),
                Moment("Updated at"),
            ),
            removal="deactivate",
        ),
        Entity(
            name="patients",
            title="Patients",
            fields=(
                Text("Cliniko patient ID", key=True),
                Verbatim("Name", sensitive=True),
                Verbatim("First name", sensitive=True),
                Verbatim("Preferred name", sensitive=True),
                Verbatim("Last name", sensitive=True),
                Date("Date of birth", sensitive=True),
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
            removal="deactivate",
            key_name="patients_org_cliniko_patient_unique",
        ),
        Entity(
            name="appointments",
            title="Appointments",
            fields=(
                Text("Cliniko appointment ID", key=True),
                Moment("Starts at"),
                Moment("Ends at"),
                # no reference: an appointment may have no patient, or one whom we may not read
                Text("Cliniko patient ID"),
                Text("Cliniko practitioner ID"),
                Text("Cliniko business ID"),
                Text("Cliniko appointment type ID"),
                YesNo("Arrived"),
                YesNo("Did not arrive"),
                *(Moment(label) for label in GONE),
                Moment("Created at"),
                Moment("Updated at"),
            ),
            removal="deactivate",
            withdrawn=GONE,
            lookups=(("Starts at", "Cliniko patient ID"),),
        ),
    ),
    steps=Steps(
        opening=(
            Band("initializing", 0, 12, "Syncing in progress..."),
            Band("checking_config", 12, 25, "Checking the configuration"),
            Band("checking_credentials", 25, 37, "Checking the credentials"),
        ),
        reading={
            "patients": Band(
                "fetching_patients",
                *(37, 50),
                "Fetching patients...",
                "Processing {done:,}/{total:,} patients ({percent}%)",
                "Found {done:,} patients",
                "patients found",
            ),
            "appointments": Band(
                "fetching_appointments",
                *(50, 62),
                "Fetching appointments...",
                "Fetching appointments ({done:,}/{total:,})",
                "Found {done:,} appointments",
                "appointments found",
            ),
            "appointment_types": Band(
                "loading_types",
                *(62, 75),
                "Loading appointment types...",
                "Loading appointment types ({done:,}/{total:,})",
                "Found {done:,} appointment types",
            ),
        },
        comparing=Band(
            "analyzing",
            *(75, 87),
            "Analyzing data...",
            "Analyzing {what}...",
            "Analyzing active patients...",
            "active identified",
        ),
        saving=Band(
            "storing",
            *(87, 100),
            "Processing {done:,} patients from Cliniko",
            "Storing {what} in database ({done:,}/{total:,})",
            "Sync completed. {done:,} patients updated",
            "patients stored",
        ),
        main="patients",
    ),
)
