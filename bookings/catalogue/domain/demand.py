"""Decide which part of a refused wish counts as unmet demand."""

from datetime import datetime, timedelta

from bookings.record.domain.periods import Period
from instruments.policy.domain.policies import DEFAULT_HORIZON_DAYS, Policy


def askable(wanted: Period, policy: Policy, now: datetime) -> Period | None:
    """Return the part of a period refused by a rule that somebody could have asked for: what lies ahead, as
    long as one booking may be, within the longest horizon; None if there is none. Without these limits
    one hopeless request could explain a year of standby."""
    days = max([DEFAULT_HORIZON_DAYS, *policy.horizon_days.values()])
    start = max(wanted.start, now)
    end = min(wanted.end, start + timedelta(minutes=policy.max_minutes), now + timedelta(days=days))
    return Period(start, end) if start < end else None
