"""Booking policies as values, and what they said before."""

from uuid import UUID

from django.db.models import QuerySet

from instruments.domain.policies import Policy, parse_group_hours, parse_quotas, parse_share
from instruments.models import BookingPolicy, PolicyVersion


def policy_versions(instrument_id: UUID) -> QuerySet[PolicyVersion]:
    """Return every version there was of an instrument's policy, newest first, with who made it."""
    rows = PolicyVersion.objects.filter(instrument_id=instrument_id)
    return rows.select_related("made_by").order_by("-version")


def load_policy(row: BookingPolicy) -> Policy:
    """Return the row as the value the rules are asked with."""
    values = {name: getattr(row, name) for name in Policy.__dataclass_fields__}
    values["quotas"] = parse_quotas(row.quotas, [])
    values["cross_region_share"] = parse_share(row.cross_region_share, [])
    values["refused_hazards"] = tuple(row.refused_hazards or ())
    values["group_hours"] = parse_group_hours(row.group_hours, [])
    return Policy(**values)
