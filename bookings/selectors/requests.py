"""Requests with everything needed to decide on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from bookings.domain.periods import Period
from bookings.models import Closure, Quote, Reservation
from instruments.domain.opening import day_span, local_date


@dataclass(frozen=True)
class Neighbour:
    """What else takes the instrument on a day of the request: a reservation or a closure."""

    start: datetime
    end: datetime | None
    units: tuple[int, ...] = ()  # of a closure: empty means all
    reservation: Reservation | None = None
    closure: Closure | None = None


@dataclass(frozen=True)
class Request:
    """A request, the quote the payer agreed to, the rest of its local days, and how often the
    person has completed a booking of this instrument and how often did not come."""

    reservation: Reservation
    quote: dict[str, Any] | None
    neighbours: tuple[Neighbour, ...]
    completed: int
    missed: int


def load_requests(reservations: Sequence[Reservation], now: datetime) -> list[Request]:
    """Of reservations loaded with instrument and facility. Four statements."""
    if not reservations:
        return []
    quotes = {
        quote.reservation_id: quote.result
        for quote in Quote.objects.filter(reservation__in=reservations, is_current=True)
    }
    days = {r.pk: _days(r) for r in reservations}
    taken = _taken(reservations, days, now)
    past = _past(reservations)
    return [
        Request(
            reservation=r,
            quote=quotes.get(r.pk),
            neighbours=tuple(
                n for n in taken if _meets(n, r.instrument_id, days[r.pk]) and n.reservation != r
            ),
            completed=past.get((r.user_id, r.instrument_id, "completed"), 0),
            missed=past.get((r.user_id, r.instrument_id, "no_show"), 0),
        )
        for r in reservations
    ]


def _days(reservation: Reservation) -> Period:
    """The local days the request lies on."""
    zone = ZoneInfo(reservation.instrument.facility.time_zone)
    first = local_date(zone, reservation.start_at)
    last = local_date(zone, reservation.end_at)
    return Period(day_span(zone, first)[0], day_span(zone, last)[1])


def _taken(
    reservations: Sequence[Reservation], days: dict[UUID, Period], now: datetime
) -> list[Neighbour]:
    near = [
        Q(instrument_id=r.instrument_id, start_at__lt=days[r.pk].end, end_at__gt=days[r.pk].start)
        for r in reservations
    ]
    shut = [
        Q(instrument_id=r.instrument_id, start_at__lt=days[r.pk].end)
        & (Q(end_at=None) | Q(end_at__gt=days[r.pk].start))
        for r in reservations
    ]
    others = Reservation.objects.filter(
        Q(occupancy__expires_at=None) | Q(occupancy__expires_at__gt=now),
        reduce(or_, near),
        occupancy__isnull=False,
    ).select_related("user", "organisation")
    closures = Closure.objects.filter(reduce(or_, shut))
    taken = [Neighbour(r.start_at, r.end_at, (r.unit,), reservation=r) for r in others]
    taken += [Neighbour(c.start_at, c.end_at, tuple(c.units), closure=c) for c in closures]
    return sorted(taken, key=lambda n: n.start)


def _meets(neighbour: Neighbour, instrument_id: UUID, day: Period) -> bool:
    thing = neighbour.reservation or neighbour.closure
    return (
        thing is not None
        and thing.instrument_id == instrument_id
        and neighbour.start < day.end
        and (neighbour.end is None or neighbour.end > day.start)
    )


def _past(reservations: Sequence[Reservation]) -> dict[tuple[UUID, UUID, str], int]:
    pairs = [Q(user_id=r.user_id, instrument_id=r.instrument_id) for r in reservations]
    rows = (
        Reservation.objects.filter(
            reduce(or_, pairs), state__in=[Reservation.State.COMPLETED, Reservation.State.NO_SHOW]
        )
        .order_by()
        .values_list("user_id", "instrument_id", "state")
        .annotate(n=Count("pk"))
    )
    return {(user, instrument, state): n for user, instrument, state, n in rows}
