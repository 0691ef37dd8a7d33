"""What an account keeps of each record: what lists are filtered and sorted by."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple, get_args

Kind = Literal["patients", "individual_appointments", "appointment_types"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Known(NamedTuple):
    """A record in short; moments are seconds since 1970, and None is blank."""

    id: int
    created_at: int
    updated_at: int
    archived_at: int | None = None
    deleted_at: int | None = None
    merged_at: int | None = None
    merged_with: int | None = None
    cancelled_at: int | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    patient_id: int | None = None
    appointment_type_id: int | None = None
    practitioner_id: int | None = None
    business_id: int | None = None
    repeated_from_id: int | None = None
    did_not_arrive: bool = False


def identifier(place: int, size: int) -> int:
    """Return the id of a record by its place: rising, with gaps; only the oldest are short."""
    if place < size // 20:
        return 900_001 + 7 * place  # as a text it would come after the long ones
    return 1_200_000_000_000_000_000 + place * 1009 + place * place % 97


def moment(seconds: int | None) -> str | None:
    """Write a moment as Cliniko does: in UTC, with Z."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
