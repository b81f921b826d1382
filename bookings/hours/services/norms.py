"""Norm hours: an administrator enters what holds from a day on."""

from datetime import date

from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import By
from bookings.hours.domain.norms import check_norm
from bookings.hours.models import NormHours


@transaction.atomic
def norm_add(
    by: By, *, scheme: str, kind: str, hours: int, valid_from: date, reason: str
) -> NormHours:
    """From `valid_from` on, so many hours a year are expected of instruments of a kind. Those
    before keep their norm: nothing is changed, and nothing begins in a year that is over.

    For administrators and the platform itself (the command), else `NotPermitted`; `Invalid`:
    `check_norm`, norm-entered-already.
    """
    if not by.actor.is_platform and not by.actor.has("administrator"):
        raise NotPermitted
    check_norm(scheme=scheme, kind=kind, hours=hours, valid_from=valid_from, today=by.now.date())
    try:
        with transaction.atomic():
            row = NormHours.objects.create(
                scheme=scheme,
                kind=kind,
                hours=hours,
                valid_from=valid_from,
                reason=reason.strip()[:500],
                entered_by_id=by.actor.user_id,
                entered_at=by.now,
            )
    except IntegrityError:
        raise invalid("valid_from", "norm-entered-already") from None
    trail.record(
        by,
        "norm.add",
        row,
        after={"scheme": scheme, "kind": kind, "hours": hours, "valid_from": valid_from},
        reason=reason.strip(),
    )
    return row
