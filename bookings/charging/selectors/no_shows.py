"""Read whether a no-show may still be removed."""

from datetime import datetime

from django.db.models import Max

from bookings.charging.domain.no_shows import require_strikable
from bookings.pricing.models import Charge
from bookings.pricing.selectors.charges import IN_FORCE, drawn_months
from bookings.record.models import Reservation


def require_removable(reservation: Reservation, now: datetime) -> Charge | None:
    """Return the charge that removing a booking's no-show reverses, None if there is none; raise `WrongState`
    if it cannot be removed, or no longer. Two statements at most."""
    charge = Charge.objects.filter(IN_FORCE, reservation=reservation).first()
    is_drawn = (
        charge is not None and charge.month is not None and charge.month in drawn_months(charge.host_id)
    )
    taken_back = None
    if charge is None:
        reversals = Charge.objects.filter(reservation=reservation, kind="reversal")
        taken_back = reversals.aggregate(at=Max("created_at"))["at"]
    require_strikable(
        state=reservation.state,
        struck=reservation.struck,
        charge=charge.state if charge else None,
        settled_at=max(reservation.end_at, taken_back or reservation.end_at),
        open_until=charge.open_until if charge else None,
        is_on_statement=is_drawn,
        now=now,
    )
    return charge
