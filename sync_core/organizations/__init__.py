"""Organizations: whose data it is, who belongs to them, and what they have decided."""

from sync_core.organizations.organization import (
    DEFAULT,
    Organization,
    add,
    by_id,
    everyone,
    get,
    set_four_eyes,
)

__all__ = ["DEFAULT", "Organization", "add", "by_id", "everyone", "get", "set_four_eyes"]
