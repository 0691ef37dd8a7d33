"""A sheet of locations: its header, and rows of which only some cells matter."""

HEADER = [
    "Location code",
    "Name",
    "Address",
    "City",
    "Postcode",
    "Country",
    "Phone",
    "Email",
    "Latitude",
    "Longitude",
    "Opened on",
    "Active",
]


def row(code: str, name: str = "A clinic", **cells: str) -> list[str]:
    values = {
        "Location code": code,
        "Name": name,
        **{k.replace("_", " "): v for k, v in cells.items()},
    }
    return [values.get(label, "") for label in HEADER]


LOCATIONS = [
    HEADER,
    row("L1", "Harbour Clinic", City="Perth"),
    row("L2", "Mill Clinic", City="Hobart"),
]
BROKEN = [HEADER, row("L1", "Harbour Clinic", Phone="not a phone")]
