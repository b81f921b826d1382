"""Load requests with everything needed to decide on them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import TrailEntry
from accounts.prepared import Prepared
from bookings.availability.models import Closure
from bookings.funding.selectors.earmarks import require_funded
from bookings.pricing.models import Quote
from bookings.pricing.selectors.samples import with_number_of_samples
from bookings.questions.selectors.questions import booking_answers, booking_answers_said
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import unnamed
from bookings.reserving.selectors.placing import require_qualified
from instruments.opening.domain.opening import merged
from instruments.opening.selectors.opening import load_windows
from instruments.reading.domain.clock import day_span, local_date

LAST = 3  # of the person's visits that are shown
MOST_PAST = 500  # that are counted


@dataclass(frozen=True)
class Neighbour:
    """A reservation or closure that occupies the instrument on a day of the request."""

    start: datetime
    end: datetime | None
    units: tuple[int, ...] = ()  # of a closure: empty means all
    reservation: Reservation | None = None
    closure: Closure | None = None


@dataclass(frozen=True)
class Band:
    """A stretch of the request's local days, as percentages of them: `open`, `taken`, `closure` or
    `asked`."""

    kind: str
    start: str
    width: str


@dataclass(frozen=True)
class Request:
    """A request with what is needed to decide on it: the quote the payer agreed to, what else lies on its
    local days, how often the person completed, missed and cancelled bookings of this instrument, their last
    visits, and the rules that would refuse it if it were approved."""

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
    answers: tuple[tuple[str, str], ...] = ()  # to the questions asked at booking
    before: Period | None = None  # for a confirmed booking that was moved: when it was

    @property
    def asks_certificate(self) -> bool:
        policy = getattr(self.reservation.instrument, "policy", None)
        return bool(policy and policy.qualification)


# What the inbox and the page of a request show: of long records beside them only this.
_SHOWN = (
    *(field.name for field in Reservation._meta.concrete_fields),
    *("instrument__name", "instrument__name_zh", "instrument__organisation", "instrument__region"),
    "instrument__facility__time_zone",
    *("organisation__name", "organisation__name_zh", "payer_region__name", "payer_region__name_zh"),
    *("user__name", "user__email", "conversation__waits_for"),
)


def inbox(requests: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Return requests with what their list shows of each, and `load_request` needs."""
    rows = requests.select_related(None).select_related(
        "instrument__facility",
        "instrument__policy",
        "instrument__schedule",
        "organisation",
        "payer_region",
        "user",
        "conversation",
    )
    return with_number_of_samples(rows.only(*_SHOWN, "instrument__policy", "instrument__schedule"))


def load_quotes(reservations: Sequence[Reservation]) -> dict[UUID, Quote]:
    """Return the current quotes by reservation. One statement."""
    quotes = Quote.objects.filter(reservation__in=reservations, is_current=True)
    return {quote.reservation_id: quote for quote in quotes.defer("inputs")}


def load_request(reservation: Reservation, quote: Quote | None, now: datetime) -> Request:
    """Load what the host sees of a request: a reservation loaded with instrument, facility, policy and
    schedule. Seven statements at most."""
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
        answers=tuple(booking_answers_said(booking_answers(reservation))),
        before=_before(reservation),
    )


def _before(reservation: Reservation) -> Period | None:
    """Return when a booking was that has to be confirmed again because it was moved; None for other requests.
    At most one statement."""
    if reservation.confirmed_at is None:
        return None
    moves = TrailEntry.objects.filter(object_id=reservation.pk, action="reservation.requested")
    last = moves.order_by("-id").values_list("after", flat=True).first() or {}
    times = [last[name] for name in ("was_start", "was_end") if last.get(name)]
    return Period(*map(datetime.fromisoformat, times)) if len(times) == 2 else None


def _refusals(reservation: Reservation) -> tuple[Refusal, ...]:
    """Return the reasons why a request to book could not be accepted now. Two statements at most."""
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


def _bands(reservation: Reservation, days: Period, neighbours: Sequence[Neighbour]) -> Iterator[Band]:
    """Yield the bands that draw the days on the requested unit, the request last."""
    opened = merged(load_windows(reservation.instrument.schedule, days.start, days.end))
    for window in opened:
        yield from bands_of("open", window.opens_at, window.closes_at, days)
    for n in neighbours:
        if not n.units or reservation.unit in n.units:
            kind = "taken" if n.reservation else "closure"
            yield from bands_of(kind, n.start, n.end or days.end, days)
    yield from bands_of("asked", reservation.start_at, reservation.end_at, days)


def bands_of(kind: str, start: datetime, end: datetime, days: Period) -> Iterator[Band]:
    """Yield the part of a stretch that lies in the days, if any."""
    first, last = max(start, days.start), min(end, days.end)
    if first < last:
        whole = (days.end - days.start).total_seconds()
        yield Band(
            kind,
            f"{(first - days.start).total_seconds() / whole * 100:.3f}%",
            f"{(last - first).total_seconds() / whole * 100:.3f}%",
        )


def _days(reservation: Reservation) -> Period:
    """Return the local days on which a request to book lies."""
    zone = reservation.instrument.facility.zone
    first = local_date(zone, reservation.start_at)
    last = local_date(zone, reservation.end_at)
    return Period(day_span(zone, first)[0], day_span(zone, last)[1])


def _taken(reservation: Reservation, days: Period, now: datetime) -> list[Neighbour]:
    at = {"instrument_id": reservation.instrument_id, "start": days.start, "end": days.end}
    others, closures = _OTHERS.rows(now=now, **at), _CLOSURES.rows(**at)
    taken = [Neighbour(r.start_at, r.end_at, (r.unit,), reservation=unnamed(r)) for r in others]
    taken += [Neighbour(c.start_at, c.end_at, tuple(c.units), closure=c) for c in closures]
    return sorted(taken, key=lambda n: n.start)


_OTHERS = Prepared(
    lambda instrument_id, start, end, now: Reservation.objects.filter(
        Q(occupancy__expires_at=None) | Q(occupancy__expires_at__gt=now),
        instrument_id=instrument_id,
        start_at__lt=end,
        end_at__gt=start,
        occupancy__isnull=False,
    ).select_related("user", "organisation")
)
_CLOSURES = Prepared(
    lambda instrument_id, start, end: Closure.objects.filter(
        Q(end_at=None) | Q(end_at__gt=start), instrument_id=instrument_id, start_at__lt=end
    )
)


def _past(reservation: Reservation) -> list[Reservation]:
    """Return the person's completed and missed bookings of this instrument, and those cancelled after they
    had been confirmed; the newest first."""
    return _PAST.rows(user_id=reservation.user_id, instrument_id=reservation.instrument_id)


_PAST = Prepared(
    lambda user_id, instrument_id: (
        Reservation.objects.filter(
            Q(state__in=[Reservation.State.COMPLETED, Reservation.State.NO_SHOW])
            | Q(state=Reservation.State.CANCELLED, confirmed_at__isnull=False),
            user_id=user_id,
            instrument_id=instrument_id,
        )
        .only("state", "start_at")
        .order_by("-start_at", "-id")[:MOST_PAST]
    )
)
