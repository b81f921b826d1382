"""The payer's finance says anew which funding sources pay for a charge, until it is final."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.charging.domain.recoding import is_recodable
from bookings.charging.locks import lock_charge
from bookings.charging.selectors.recoding import day_of, owed_of
from bookings.charging.services.disputes import charge_with, subject_locked, worded
from bookings.funding.domain.funding import Share
from bookings.funding.services.earmarks import sources_recode
from bookings.pricing.models import Charge
from bookings.pricing.selectors.charges import charge_by_id


@transaction.atomic
def charge_recode(by: By, *, charge_id: UUID, shares: Sequence[Share], reason: str) -> Charge:
    """Charge other funding sources of the payer than those that the booking was made with, or the place in a
    course taken with, as the payer's finance. What the earlier ones have spent is put back. Amounts and
    statements stay as they are.

    Raises `Invalid` for shares that do not add up or name unknown sources, `RulesRefuse` for a source that is
    suspended, not valid on the day of the booking or has not enough left, and `WrongState` once it is final.
    """
    seen = charge_by_id(by.actor, charge_id)
    require(by.actor, "account", place_of(seen.organisation))
    reason = worded("reason", reason)
    if not shares:
        raise invalid("funding", "required")
    reservation = subject_locked(seen)
    subject = reservation or seen.place
    # Sources are locked before the charge, as corrections do.
    before, after = sources_recode(
        subject=subject,
        shares=shares,
        payable=owed_of(subject),
        currency=seen.currency,
        day=day_of(seen),
        now=by.now,
    )
    charge = charge_with(lock_charge(charge_id), seen, reservation)
    by.require_version(charge.version)
    if not is_recodable(charge.kind, charge.state, charge.open_until, by.now):
        state = "final" if charge.state == "open" else charge.state
        raise WrongState(state=state, wanted="recoded")
    charge.version += 1
    charge.save(update_fields=["version"])
    # The sources are the payer's affair: hosts and their regions see none of their guests'.
    trail.record(
        by,
        "charge.recode",
        charge,
        before={"funding": before},
        after={"funding": after},
        reason=reason,
        places=((charge.organisation_id,), charge.payer_region.lineage),
    )
    return charge
