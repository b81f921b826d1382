"""Cancelling several bookings at once: which of them can still be cancelled, and what that costs."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.roles import Actor
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Quote
from bookings.pricing.selectors.charges import cancellation_now
from bookings.record.domain.reservations import effective_state, may_still_cancel
from bookings.record.models import Reservation


def is_left(reservation: Reservation, now: datetime) -> bool:
    """Say whether a booking can still be cancelled."""
    r = reservation
    state = effective_state(r.state, r.deadline_at, now)
    return state == "requested" or (
        state == "confirmed" and may_still_cancel(r.start_at, r.end_at, r.check_in_minutes, now)
    )


def load_cancellation_sums(
    actor: Actor, reservations: Sequence[Reservation], now: datetime
) -> dict[str, tuple[Decimal, Decimal]]:
    """Return fee and tax of cancelling all these bookings now, by currency. Requests that were never
    confirmed, and bookings that the host cancels, cost nothing."""
    current = Quote.objects.filter(reservation__in=reservations, is_current=True)
    quotes = {quote.reservation_id: quote for quote in current}
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    spent: set[UUID] = set()
    for row in reservations:
        quote = quotes[row.pk]
        fee, tax = sums.get(quote.currency, (Decimal(0), Decimal(0)))
        terms = cancellation_now(row, now, input_from_json(quote.inputs), actor=actor, spent=spent)
        sums[quote.currency] = (fee + terms.fee, tax + terms.tax)
    return sums
