"""Enter the weights of the audit's rules."""

from datetime import date

from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import By
from bookings.audit.domain.risk import check_weight
from bookings.audit.models import RiskWeight


@transaction.atomic
def weight_add(by: By, *, rule: str, weight: int, valid_from: date, reason: str) -> RiskWeight:
    """Set the weight of a rule for exceptions found from a day on. What was found before keeps its score:
    existing rows are never changed, and a weight cannot begin in the past.

    As the norm hours, it holds for all regions: raise `NotPermitted` unless the actor is an administrator or
    the platform itself; `Invalid` as `check_weight` does, or for a day that has one already
    (`weight-entered-already`).
    """
    if not by.actor.is_platform and not by.actor.has("administrator"):
        raise NotPermitted
    reason = reason.strip()[:500]
    if not reason:
        raise invalid("reason", "required")
    check_weight(rule=rule, weight=weight, valid_from=valid_from, today=by.now.date())
    try:
        with transaction.atomic():
            row = RiskWeight.objects.create(
                rule=rule,
                weight=weight,
                valid_from=valid_from,
                reason=reason,
                entered_by_id=by.actor.user_id,
                entered_at=by.now,
            )
    except IntegrityError:
        raise invalid("valid_from", "weight-entered-already") from None
    after = {"rule": rule, "weight": weight, "valid_from": valid_from}
    trail.record(by, "riskweight.add", row, after=after, reason=reason)
    return row
