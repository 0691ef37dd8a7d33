"""Polars, loaded when a column is judged first: to know the names of fields takes none of it."""

from typing import TYPE_CHECKING

from sync_core.foundation.later import Later

if TYPE_CHECKING:
    import polars as pl
else:
    pl = Later("polars")

__all__ = ["pl"]
