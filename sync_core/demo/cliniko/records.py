"""Records in full, as Cliniko answers them; their people are made up."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from sync_core.demo.cliniko.known import Known, identifier, moment
from sync_core.demo.files import CITIES, FIRST, LAST, STREETS

Record = dict[str, Any]

# numbers that Australia keeps for fiction
MOBILES = "0491570006 0491570156 0491570157 0491570158 0491570159 0491570110".split()
LANDLINE = "08 7010 "

TYPES = (
    ("First consultation", "Consultations", 60),
    ("Standard consultation", "Consultations", 30),
    ("Long consultation", "Consultations", 45),
    ("Review", "Consultations", 30),
    ("Telehealth", "Consultations", 30),
    ("Remedial massage", "Massage", 60),
    ("Sports massage", "Massage", 45),
    ("Dry needling", "Treatments", 30),
    ("Hydrotherapy", "Treatments", 45),
    ("Home visit", "Visits", 90),
    ("Workplace assessment", None, 120),
    ("Voucher 2019", None, 30),
)
TYPES_BY_ID = {identifier(place, len(TYPES)): made for place, made in enumerate(TYPES)}
ARCHIVED_TYPES = frozenset({8, 11})
COLOURS = ("#7DB5E8", "#E8A87D", "#8FD19E", "#D18FC7")
REASONS = {10: "Feeling better", 30: "Sick", 40: "Away", 50: "Other", 60: "Work"}


def patient(known: Known, chance: Random, base: str) -> Record:
    """Make up a patient."""
    first, last = chance.choice(FIRST), chance.choice(LAST)
    city, postcode, *_ = chance.choice(CITIES)
    here = f"{base}/patients/{known.id}"
    born = date(1940, 1, 1) + timedelta(days=chance.randrange(25_000))
    return {
        **_common(known, here),
        "title": chance.choice(("Mr", "Ms", "Dr", None)),
        "first_name": first,
        "preferred_first_name": None,
        "last_name": last,
        "pronouns": None,
        "date_of_birth": born.isoformat() if chance.random() < 0.95 else None,  # noqa: PLR2004
        "sex": chance.choice(("Female", "Male", None)),
        "gender": None,
        "gender_identity": None,
        "email": _email(known, chance, first, last),
        "patient_phone_numbers": _phones(chance),
        "address_1": f"{chance.randrange(1, 300)} {chance.choice(STREETS)} Street",
        "address_2": None,
        "address_3": None,
        "city": city,
        "state": None,
        "post_code": postcode,
        "country": "Australia",
        "time_zone": chance.choice(("Australia/Perth", None)),
        "occupation": chance.choice(("Teacher", "Baker", "Retired", None)),
        "emergency_contact": None,
        "notes": chance.choice(("Prefers mornings.\nRing the bell twice.", None, None)),
        "appointment_notes": None,
        "old_reference_id": None,
        "referral_source": chance.choice(("Friend", "Web search", None)),
        "reminder_type": chance.choice(("SMS", "Email", "None")),
        "receives_confirmation_emails": True,
        "accepted_privacy_policy": chance.choice((True, False, None)),
        "accepted_email_marketing": chance.choice((True, False, None)),
        "accepted_sms_marketing": chance.choice((True, False, None)),
        "invoice_default_to": None,
        "invoice_email": None,
        "invoice_extra_information": None,
        "medicare": None,
        "medicare_reference_number": None,
        "dva_card_number": None,
        "custom_fields": {"sections": []},
        "deleted_at": moment(known.deleted_at),
        "merged_at": moment(known.merged_at),
        "merged_with_patient": _linked(base, "patients", known.merged_with),
        "concession_type": None,
        "appointments": _link(f"{base}/individual_appointments?q%5B%5D=patient_id%3A%3D{known.id}"),
    }


def _email(known: Known, chance: Random, first: str, last: str) -> str | None:
    if chance.random() < 0.1:  # noqa: PLR2004
        return chance.choice((None, ""))  # both stand for a blank one
    return f"{first}.{last}.{known.id % 100_000}@example.org".lower()


def _phones(chance: Random) -> list[Record]:
    mobile = {"phone_type": "Mobile", "number": chance.choice(MOBILES)}
    home = {"phone_type": "Home", "number": f"{LANDLINE}{chance.randrange(10**4):04d}"}
    return chance.choice(([mobile], [home, mobile], [home], []))


def appointment(known: Known, chance: Random, base: str) -> Record:
    """Make up an appointment."""
    here = f"{base}/individual_appointments/{known.id}"
    reason = chance.choice(tuple(REASONS)) if known.cancelled_at else None
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    return {
        **_common(known, here),
        "starts_at": moment(known.starts_at),
        "ends_at": moment(known.ends_at),
        "cancelled_at": moment(known.cancelled_at),
        "cancellation_reason": reason,
        "cancellation_reason_description": REASONS[reason] if reason else "",
        "cancellation_note": None,
        "deleted_at": moment(known.deleted_at),
        "did_not_arrive": known.did_not_arrive,
        "patient_arrived": False,
        "patient_name": name if known.patient_id else "",
        "notes": chance.choice(("Bring the letter.", None, None, None)),
        "invoice_status": chance.choice((10, 20, None)),
        "treatment_note_status": None,
        "email_reminder_sent": False,
        "sms_reminder_sent": chance.choice((True, False)),
        "booking_ip_address": None,
        "online_booking_policy_accepted": None,
        "repeat_rule": {},
        "repeats": None,
        "patient": _linked(base, "patients", known.patient_id),
        "practitioner": _linked(base, "practitioners", known.practitioner_id),
        "business": _linked(base, "businesses", known.business_id),
        "appointment_type": _linked(base, "appointment_types", known.appointment_type_id),
        "attendees": _link(f"{here}/attendees"),
        "conflicts": _link(f"{here}/conflicts"),
    }


def appointment_type(known: Known, chance: Random, base: str) -> Record:
    """Make up an appointment's type."""
    name, category, minutes = TYPES_BY_ID.get(known.id, TYPES[0])
    return {
        **_common(known, f"{base}/appointment_types/{known.id}"),
        "name": name,
        "category": category,
        "color": chance.choice(COLOURS),
        "description": None,
        "duration_in_minutes": minutes,
        "max_attendees": 1,
        "show_in_online_bookings": chance.choice((True, False)),
        "telehealth_enabled": name == "Telehealth",
        "deposit_price": None,
        "online_payments_enabled": False,
        "online_payments_mode": None,
    }


def _common(known: Known, here: str) -> Record:
    return {
        "id": str(known.id),
        "created_at": moment(known.created_at),
        "updated_at": moment(known.updated_at),
        "archived_at": moment(known.archived_at),
        "links": {"self": here},
    }


def _link(address: str) -> Record:
    return {"links": {"self": address}}


def _linked(base: str, path: str, number: int | None) -> Record | None:
    return None if number is None else _link(f"{base}/{path}/{number}")


Maker = Callable[[Known, Random, str], Record]
MAKERS: dict[str, Maker] = {
    "patients": patient,
    "individual_appointments": appointment,
    "appointment_types": appointment_type,
}
