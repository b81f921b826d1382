"""Read holds: slots that are kept while forms are completed."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from accounts.prepared import Prepared
from bookings.availability.models import Occupancy
from bookings.record.domain.periods import Period
from bookings.record.models import Reservation


def holds_of(user_id: UUID, now: datetime) -> QuerySet[Reservation]:
    """Return a person's holds that have not expired, the first to expire first; not those kept for a bid or a
    batch."""
    return Reservation.objects.filter(
        user_id=user_id, state=Reservation.State.HELD, deadline_at__gt=now, held_for=""
    ).order_by("deadline_at", "id")


def own_held(actor: Actor, now: datetime) -> dict[UUID, list[Reservation]]:
    """Return a person's holds at a moment, by instrument. It takes one statement, none if nobody is signed
    in."""
    held: dict[UUID, list[Reservation]] = {}
    if actor.user_id is not None:
        for hold in _HELD.rows(user_id=actor.user_id, now=now):
            held.setdefault(hold.instrument_id, []).append(hold)
    return held


_HELD = Prepared(lambda user_id, now: holds_of(user_id, now).select_related("organisation"))


def kept_for(
    user_id: UUID, instrument_id: UUID, payer_id: UUID, period: Period, now: datetime
) -> Reservation | None:
    """Return the person's hold for exactly this period and payer, or None; an offer of the waiting list is
    such a hold. It takes one statement."""
    return _KEPT.first(
        user_id=user_id,
        now=now,
        instrument_id=instrument_id,
        payer_id=payer_id,
        start=period.start,
        end=period.end,
    )


_KEPT = Prepared(
    lambda user_id, now, instrument_id, payer_id, start, end: holds_of(user_id, now).filter(
        instrument_id=instrument_id, organisation_id=payer_id, start_at=start, end_at=end
    )
)


def lapsed(now: datetime) -> QuerySet[Occupancy]:
    """Return the occupancies of requests and holds whose deadline has passed."""
    return Occupancy.objects.filter(expires_at__lte=now)
