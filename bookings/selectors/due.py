"""What the jobs of the clock find due: the same questions for them and for the operators' page."""

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from bookings.domain.reservations import SESSION_LEFT_OPEN
from bookings.models import Charge, Occupancy, Reservation


def lapsed(now: datetime) -> QuerySet[Occupancy]:
    """Time kept for requests and holds whose deadline has passed."""
    return Occupancy.objects.filter(expires_at__lte=now)


def ended(now: datetime) -> QuerySet[Reservation]:
    """Bookings nobody ended: no-shows, those past their end, sessions left open."""
    return Reservation.objects.filter(
        Q(state="confirmed", end_at__lte=now)
        | Q(
            state="confirmed",
            check_in_minutes__isnull=False,
            start_at__lte=now - F("check_in_minutes") * timedelta(minutes=1),
        )
        | Q(state="in_use", end_at__lte=now - SESSION_LEFT_OPEN)
    )


def undisputed(now: datetime) -> QuerySet[Charge]:
    """Charges that nobody disputed in time."""
    return Charge.objects.filter(state=Charge.State.OPEN, open_until__lte=now)
