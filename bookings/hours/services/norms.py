"""Entering the norm hours that apply from a day on."""

from datetime import date

from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import By
from bookings.hours.domain.norms import check_norm
from bookings.hours.models import NormHours


@transaction.atomic
def norm_add(by: By, *, scheme: str, kind: str, hours: int, valid_from: date, reason: str) -> NormHours:
    """Set the hours a year that are expected of instruments of a kind from `valid_from` on. Earlier days keep
    their norm: existing rows are never changed, and a norm cannot begin in a year that is over.

    Raises `NotPermitted` unless the actor is an administrator or the platform itself (the command); `Invalid`
    as `check_norm` does, or for a day that has a norm already (norm-entered-already).
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
