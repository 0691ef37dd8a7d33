"""For tests of something else: no plan is suspicious, whatever it does."""

from sync_core.foundation import db
from sync_core.organizations import Organization, policies
from sync_core.organizations.policies import Guards, Policy

OFF = Guards(
    empty_source=False,
    removals=None,
    creations=None,
    failures=None,
    updates=None,
    fewer_rows=None,
    blank_column=None,
    new_keys=None,
    other_source=False,
)


def unguarded(organization: Organization, resource: str, policy: Policy | None = None) -> None:
    """Let an organization guard a resource by nothing; the rest of the `policy` counts."""
    decided = policy or Policy()
    with db.everywhere() as connection:
        policies.put(
            connection,
            organization,
            resource,
            Policy(decided.fresh_hours, decided.removal, decided.limit_minutes, OFF),
        )
