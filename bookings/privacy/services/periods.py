"""Enter how long records are kept."""

from datetime import date

from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.errors import invalid
from accounts.domain.roles import By, Place
from accounts.permissions import require
from bookings.privacy.domain.periods import check_period
from bookings.privacy.models import HoldingPeriod
from bookings.privacy.selectors.periods import least_days


@transaction.atomic
def period_add(by: By, *, kind: str, days: int, valid_from: date, reason: str) -> HoldingPeriod:
    """Keep records of a kind for so many days from a day on; what is older is removed in the night after.
    Existing rows are never changed. Raise `Invalid` as `check_period` does, without a reason, or for a day
    that has a period already (`period-entered-already`). Only administrators may do this."""
    require(by.actor, "administer", Place(None))
    reason = reason.strip()[:500]
    if not reason:
        raise invalid("reason", "required")
    check_period(kind=kind, days=days, valid_from=valid_from, today=by.now.date(), least=least_days())
    try:
        with transaction.atomic():
            row = HoldingPeriod.objects.create(
                kind=kind,
                days=days,
                valid_from=valid_from,
                reason=reason,
                entered_by_id=by.actor.user_id,
                entered_at=by.now,
            )
    except IntegrityError:
        raise invalid("valid_from", "period-entered-already") from None
    after = {"kind": kind, "days": days, "valid_from": valid_from}
    trail.record(by, "holdingperiod.add", row, after=after, reason=reason)
    return row
