"""Requests with everything needed to decide on them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from bookings.availability.models import Closure
from bookings.funding.selectors.earmarks import require_funded
from bookings.pricing.models import Quote
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import unnamed
from bookings.reserving.selectors.placing import require_qualified
from instruments.domain.opening import day_span, local_date, merged
from instruments.selectors.opening import load_windows

LAST = 3  # of the person's visits that are shown
MOST_PAST = 500  # that are counted


@dataclass(frozen=True)
class Neighbour:
    """What else takes the instrument on a day of the request: a reservation or a closure."""

    start: datetime
    end: datetime | None
    units: tuple[int, ...] = ()  # of a closure: empty means all
    reservation: Reservation | None = None
    closure: Closure | None = None


@dataclass(frozen=True)
class Band:
    """A stretch of the request's local days, in percent of them: `open`, `taken`, `closure` or
    `asked`."""

    kind: str
    start: str
    width: str


@dataclass(frozen=True)
class Request:
    """A request, the quote the payer agreed to, the rest of its local days, how often the
    person has completed a booking of this instrument, how often did not come and cancelled,
    their last visits, and what would refuse it if it were accepted."""

    reservation: Reservation
    quote: dict[str, Any] | None
    neighbours: tuple[Neighbour, ...]
    completed: int
    missed: int
    cancelled: int
    last: tuple[Reservation, ...]
    refusals: tuple[Refusal, ...]
    days: Period
    bands: tuple[Band, ...]

    @property
    def asks_certificate(self) -> bool:
        policy = getattr(self.reservation.instrument, "policy", None)
        return bool(policy and policy.qualification)


def load_quotes(reservations: Sequence[Reservation]) -> dict[UUID, Quote]:
    """The current quotes by reservation. One statement."""
    quotes = Quote.objects.filter(reservation__in=reservations, is_current=True)
    return {quote.reservation_id: quote for quote in quotes.defer("inputs")}


def load_request(reservation: Reservation, quote: Quote | None, now: datetime) -> Request:
    """Of a reservation loaded with instrument, facility, policy and schedule. Five statements
    at most."""
    days = _days(reservation)
    neighbours = tuple(n for n in _taken(reservation, days, now) if n.reservation != reservation)
    past = _past(reservation)
    states = Counter(visit.state for visit in past)
    return Request(
        reservation=reservation,
        quote=quote.result if quote else None,
        neighbours=neighbours,
        completed=states["completed"],
        missed=states["no_show"],
        cancelled=states["cancelled"],
        last=tuple(past[:LAST]),
        refusals=_refusals(reservation),
        days=days,
        bands=tuple(_bands(reservation, days, neighbours)),
    )


def _refusals(reservation: Reservation) -> tuple[Refusal, ...]:
    """What would refuse it if it were accepted now. Two statements at most."""
    refusals: list[Refusal] = []
    instrument = reservation.instrument
    period = Period(reservation.start_at, reservation.end_at)
    try:
        require_qualified(instrument, reservation.user_id, period, reservation.service_mode)
    except RulesRefuse as refused:
        refusals += refused.refusals
    try:
        require_funded(instrument, reservation)
    except RulesRefuse as refused:
        refusals += refused.refusals
    return tuple(refusals)


def _bands(
    reservation: Reservation, days: Period, neighbours: Sequence[Neighbour]
) -> Iterator[Band]:
    """What the days look like on the unit that is asked for, the request last."""
    opened = merged(load_windows(reservation.instrument.schedule, days.start, days.end))
    for window in opened:
        yield from bands_of("open", window.opens_at, window.closes_at, days)
    for n in neighbours:
        if not n.units or reservation.unit in n.units:
            kind = "taken" if n.reservation else "closure"
            yield from bands_of(kind, n.start, n.end or days.end, days)
    yield from bands_of("asked", reservation.start_at, reservation.end_at, days)


def bands_of(kind: str, start: datetime, end: datetime, days: Period) -> Iterator[Band]:
    """The part of a stretch that lies in the days; none if it does not."""
    first, last = max(start, days.start), min(end, days.end)
    if first < last:
        whole = (days.end - days.start).total_seconds()
        yield Band(
            kind,
            f"{(first - days.start).total_seconds() / whole * 100:.3f}%",
            f"{(last - first).total_seconds() / whole * 100:.3f}%",
        )


def _days(reservation: Reservation) -> Period:
    """The local days the request lies on."""
    zone = reservation.instrument.facility.zone
    first = local_date(zone, reservation.start_at)
    last = local_date(zone, reservation.end_at)
    return Period(day_span(zone, first)[0], day_span(zone, last)[1])


def _taken(reservation: Reservation, days: Period, now: datetime) -> list[Neighbour]:
    others = Reservation.objects.filter(
        Q(occupancy__expires_at=None) | Q(occupancy__expires_at__gt=now),
        instrument_id=reservation.instrument_id,
        start_at__lt=days.end,
        end_at__gt=days.start,
        occupancy__isnull=False,
    ).select_related("user", "organisation")
    closures = Closure.objects.filter(
        Q(end_at=None) | Q(end_at__gt=days.start),
        instrument_id=reservation.instrument_id,
        start_at__lt=days.end,
    )
    taken = [Neighbour(r.start_at, r.end_at, (r.unit,), reservation=unnamed(r)) for r in others]
    taken += [Neighbour(c.start_at, c.end_at, tuple(c.units), closure=c) for c in closures]
    return sorted(taken, key=lambda n: n.start)


def _past(reservation: Reservation) -> list[Reservation]:
    """The person's bookings here that came to an end, newest first; of those cancelled the ones
    that had been confirmed."""
    past = Reservation.objects.filter(
        Q(state__in=[Reservation.State.COMPLETED, Reservation.State.NO_SHOW])
        | Q(state=Reservation.State.CANCELLED, confirmed_at__isnull=False),
        user_id=reservation.user_id,
        instrument_id=reservation.instrument_id,
    )
    return list(past.only("state", "start_at").order_by("-start_at", "-id")[:MOST_PAST])
