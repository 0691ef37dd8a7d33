"""How a number of things is written in a sentence."""


def count(number: int, noun: str) -> str:
    """Return a count of things: "1 row", "1,200 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
