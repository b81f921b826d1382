"""Ticks of the host on charges that it has checked."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.charging.locks import lock_charge
from bookings.pricing.models import Charge
from bookings.pricing.selectors.charges import charge_by_id


@transaction.atomic
def charge_check(by: By, *, charge_id: UUID, checked: bool) -> Charge:
    """Tick a charge as checked by the host's manager or finance, or take the tick back. The charge itself and
    its version stay as they are; one that is ticked already keeps who ticked it, and when."""
    require(by.actor, "manage-charges", place_of(charge_by_id(by.actor, charge_id).host))
    charge = lock_charge(charge_id)
    if (charge.checked_at is not None) == checked:
        return charge
    before = {"checked_at": charge.checked_at, "checked_by": charge.checked_by_id}
    charge.checked_at, charge.checked_by_id = (by.now, by.actor.person) if checked else (None, None)
    charge.save(update_fields=["checked_at", "checked_by"])
    after = {"checked_at": charge.checked_at, "checked_by": charge.checked_by_id}
    act = "charge.check" if checked else "charge.uncheck"
    trail.record(by, act, charge, before=before, after=after)
    return charge


def charges_check(by: By, *, charge_ids: Sequence[UUID], checked: bool) -> tuple[int, list[Refused]]:
    """Tick several charges, or take the ticks back, each in a transaction of its own. Return for how many it
    was done, and the refusals of the others."""
    done, refused = 0, []
    for charge_id in charge_ids:
        try:
            charge_check(by, charge_id=charge_id, checked=checked)
            done += 1
        except Refused as refusal:
            refused.append(refusal)
    return done, refused
