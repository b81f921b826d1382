"""Booking policies as values, and what they said before."""

from uuid import UUID

from django.db.models import QuerySet

from instruments.domain.policies import Policy, parse_quotas, parse_share
from instruments.models import BookingPolicy, PolicyVersion


def policy_versions(instrument_id: UUID) -> QuerySet[PolicyVersion]:
    """Every version there was of an instrument's policy, newest first, with who made it."""
    rows = PolicyVersion.objects.filter(instrument_id=instrument_id)
    return rows.select_related("made_by").order_by("-version")


def load_policy(row: BookingPolicy) -> Policy:
    """The row as the value the rules are asked with."""
    return Policy(
        slot_minutes=row.slot_minutes,
        min_minutes=row.min_minutes,
        max_minutes=row.max_minutes,
        setup_minutes=row.setup_minutes,
        teardown_minutes=row.teardown_minutes,
        notice_minutes=row.notice_minutes,
        horizon_days=row.horizon_days,
        approval=row.approval,
        approval_minutes=row.approval_minutes,
        check_in_minutes=row.check_in_minutes,
        offer_minutes=row.offer_minutes,
        units=row.units,
        qualification=row.qualification,
        quotas=parse_quotas(row.quotas, []),
        cross_region_share=parse_share(row.cross_region_share, []),
    )
