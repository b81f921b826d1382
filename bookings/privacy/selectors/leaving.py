"""Load the upcoming bookings that somebody who leaves an organisation has made for it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import Actor
from accounts.models import Membership
from accounts.selectors.memberships import membership_by_id, place_of
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Quote
from bookings.pricing.selectors.charges import cancellation_for
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH
from instruments.training.models import Enrolment
from instruments.training.selectors.training import places_ahead


@dataclass(frozen=True)
class Ahead:
    """A booking that has not begun, and what cancelling it now would cost, tax included; the cost is None if
    it has no price."""

    reservation: Reservation
    cost: Decimal | None
    currency: str


def bookings_ahead(user_id: UUID, now: datetime) -> QuerySet[Reservation]:
    """Return the bookings of a person that have not begun, in the order of time."""
    return (
        Reservation.objects.filter(
            Q(deadline_at=None) | Q(deadline_at__gt=now),
            user_id=user_id,
            state__in=["held", "requested", "confirmed"],
            start_at__gt=now,
        )
        .select_related(*WITH)
        .order_by("start_at", "id")
    )


def membership_to_end(actor: Actor, membership_id: UUID) -> Membership:
    """Return a membership that the actor may end: their own, or one at an organisation whose members they
    manage. Raise `NotPermitted` for any other, `NotFound` if there is none."""
    membership = membership_by_id(actor, membership_id)
    may = actor.may("manage-members", place_of(membership.organisation))
    if actor.user_id != membership.user_id and not may:
        raise NotPermitted
    return membership


def load_ahead(actor: Actor, membership: Membership, now: datetime) -> list[Ahead]:
    """Return the bookings of a member that would be kept or cancelled."""
    rows = bookings_ahead(membership.user_id, now)
    return with_costs(actor, rows.filter(organisation_id=membership.organisation_id), now)


def load_places(membership: Membership, now: datetime) -> list[Enrolment]:
    """Return the places in courses that a member gives up with the membership, as the organisation would pay
    for them. One statement."""
    rows = places_ahead(membership.user_id, now).filter(organisation=membership.organisation_id)
    rows = rows.select_related("session__course", "session__facility")
    return list(rows.order_by("session__start_at", "id"))


def with_costs(actor: Actor, rows: QuerySet[Reservation], now: datetime) -> list[Ahead]:
    """Return the bookings, each with what cancelling it now would cost; one that cannot be
    cancelled is left out. Two statements."""
    costs, ahead = [], list(rows)
    current = Quote.objects.filter(reservation__in=ahead, is_current=True)
    quotes = {quote.reservation_id: quote for quote in current}
    for row in ahead:
        quote = quotes.get(row.pk)
        quoted = input_from_json(quote.inputs) if quote else None
        try:
            fee = cancellation_for(actor, row, now, quoted)
        except WrongState:  # check-in has begun
            continue
        cost = fee.fee + fee.tax if quote else None
        costs.append(Ahead(row, cost, quote.currency if quote else ""))
    return costs


def may_cancel(actor: Actor, membership: Membership) -> bool:
    """Say whether the actor may cancel the bookings: their own, or those of members they manage."""
    is_own = actor.user_id == membership.user_id
    return is_own or actor.may("book-for-members", place_of(membership.organisation))
