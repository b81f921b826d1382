"""Times of use that nobody recorded: completed afterwards, or corrected."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.errors import WrongState
from accounts.domain.roles import Actor
from accounts.notifications import enqueue
from bookings.pricing.domain.usage import Usage, require_usage
from bookings.pricing.models import Charge
from bookings.record.models import Reservation, UsageSession
from bookings.reserving.services.occupancy import (
    charge_due,
    hours_dirty,
    reservation_move_to,
    reservation_touch,
)
from bookings.usage.services.usage import reservation_to_use


@transaction.atomic
def session_complete(
    *,
    actor: Actor,
    reservation_id: UUID,
    usage: Usage,
    now: datetime,
    samples: int | None = None,
    expected_version: int | None = None,
) -> UsageSession:
    """Say when a completed booking was used, for the person or the host's managers; its charge
    follows. Once it is charged, what is wrong with it is corrected on the charge."""
    _, reservation = reservation_to_use(actor, reservation_id, expected_version)
    if reservation.state != "completed":
        raise WrongState(state=reservation.state, wanted="completed")
    found = UsageSession.objects.filter(reservation=reservation, checked_out_at__isnull=False)
    charged = Charge.objects.filter(reservation=reservation).exists()
    if charged and found.exists():
        raise WrongState("charged-already")
    require_usage(usage, reserved=(reservation.start_at, reservation.end_at), now=now)
    session = session_set(reservation=reservation, usage=usage, actor=actor, now=now)
    if samples is not None:
        session.samples = samples
        session.save(update_fields=["samples"])
    enqueue([charge_due(reservation)], now=now)
    return session


def session_set(
    *,
    reservation: Reservation,
    usage: Usage,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> UsageSession:
    """Record when a booking was used; one that counted as missed was not. Its hours follow. Under
    the instrument's lock."""
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
    if reservation.state == "no_show":
        reservation_move_to(
            reservation=reservation, state="completed", now=now, actor=actor,
            extra={"ended_at": reservation.ended_at}, reason="",
        )  # fmt: skip
    reservation_touch(
        reservation=reservation,
        action="reservation.usage",
        changes={},
        said={"checked_in_at": usage[0], "checked_out_at": usage[1], "was": list(before)},
        actor=actor,
        now=now,
        reason=reason,
    )
    known = [moment for moment in (*usage, *before) if moment is not None]
    enqueue([hours_dirty(reservation, min(known), max(known))], now=now)
    return session
