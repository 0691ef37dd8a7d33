"""Addresses of cells as spreadsheets write them: Locations!C418."""


def address(title: str, row: int, column: int) -> str:
    """Return the address of a cell; column 0 is A."""
    return f"{title}!{letters(column)}{row}"


def letters(column: int) -> str:
    """Name a column as spreadsheets do: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
