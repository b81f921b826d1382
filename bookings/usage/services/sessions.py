"""Times of use that nobody recorded, entered afterwards or corrected."""

from uuid import UUID

from django.db import transaction

from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.notifications import enqueue
from bookings.pricing.domain.usage import Usage, require_usage
from bookings.pricing.models import Charge
from bookings.record.models import Reservation, UsageSession
from bookings.reserving.services.occupancy import (
    charge_due,
    ended,
    hours_dirty,
    reservation_move_to,
    reservation_touch,
)
from bookings.usage.services.usage import reservation_to_use


@transaction.atomic
def session_complete(
    by: By, *, reservation_id: UUID, usage: Usage, samples: int | None = None
) -> UsageSession:
    """Enter when a completed booking was used, for the person or whoever operates the instrument; it is then
    charged. After that, mistakes are corrected on the charge."""
    _, reservation = reservation_to_use(by, reservation_id)
    if reservation.state != "completed":
        raise WrongState(state=reservation.state, wanted="completed")
    recorded = UsageSession.objects.filter(reservation=reservation, checked_out_at__isnull=False)
    if reservation.struck and not recorded.exists():
        raise WrongState("struck-without-use")
    charged = Charge.objects.filter(reservation=reservation).exists()
    if charged and recorded.exists():
        raise WrongState("charged-already")
    require_usage(usage, reserved=(reservation.start_at, reservation.end_at), now=by.now)
    session = session_set(by, reservation=reservation, usage=usage)
    if samples is not None:
        session.samples = samples
        session.save(update_fields=["samples"])
    enqueue([charge_due(reservation)], now=by.now)
    return session


def session_set(by: By, *, reservation: Reservation, usage: Usage, reason: str = "") -> UsageSession:
    """Record when a booking was used, even if it counted as missed. Its hours are computed again. Call this
    under the instrument's lock."""
    session = UsageSession.objects.filter(reservation=reservation).first()
    before = (session.checked_in_at, session.checked_out_at) if session else (None, None)
    if session is None:
        session = UsageSession(
            reservation=reservation,
            instrument_id=reservation.instrument_id,
            unit=reservation.unit,
            service_mode=reservation.service_mode,
        )
    session.checked_in_at, session.checked_out_at = usage
    session.is_assumed = False
    session.save()
    if was_missed := reservation.state == "no_show":
        reservation_move_to(
            by,
            reservation=reservation,
            state="completed",
            extra={"ended_at": reservation.ended_at},
            reason="",
        )
    reservation_touch(
        by,
        reservation=reservation,
        action="reservation.usage",
        changes={},
        recorded={"checked_in_at": usage[0], "checked_out_at": usage[1], "was": list(before)},
        reason=reason,
    )
    known = [moment for moment in (*usage, *before) if moment is not None]
    effects = [hours_dirty(reservation, min(known), max(known))]
    if was_missed:
        effects.append(ended(reservation))
    enqueue(effects, now=by.now)
    return session
