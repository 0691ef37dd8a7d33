"""Validate pages of rows in memory: each row is a record, or has issues, or a rule's skip."""

from sync_core.engine.validate.page import (
    DELIMITER,
    ISSUES,
    MARKS,
    QUOTE,
    RAW,
    ROW,
    Format,
    ValidatedPage,
    Validator,
    page_columns,
)
from sync_core.engine.validate.row_rules import RULE, WITHDRAWN

__all__ = [
    "DELIMITER",
    "ISSUES",
    "MARKS",
    "QUOTE",
    "RAW",
    "ROW",
    "RULE",
    "WITHDRAWN",
    "Format",
    "ValidatedPage",
    "Validator",
    "page_columns",
]
