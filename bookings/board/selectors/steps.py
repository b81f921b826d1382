"""Read the enquiries and bookings that were made for a need, and the need for which a time is held or
booked."""

from dataclasses import dataclass
from datetime import datetime

from accounts.domain.roles import Actor
from accounts.selectors.memberships import place_of
from bookings.board.models import Enquiry
from bookings.board.selectors.enquiries import enquiries_for, shown_bids, shown_enquiries
from bookings.needs.models import BatchPlace, Need
from bookings.needs.selectors.needs import needs_for
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservations_for, shown


@dataclass(frozen=True)
class Steps:
    """The enquiries made of a need, each with its bids in `all_bids`, and what was booked for it; the oldest
    first."""

    enquiries: list[Enquiry]
    bookings: list[Reservation]

    def __bool__(self) -> bool:
        return bool(self.enquiries or self.bookings)


def load_steps(actor: Actor, need: Need, now: datetime) -> Steps:
    """Return the enquiries and bookings that were made for a need, as far as the actor may see them. Two
    statements if there are none."""
    enquiries = shown_enquiries(enquiries_for(actor).filter(need=need).order_by("created_at", "id"), now)
    for enquiry in enquiries:
        enquiry.all_bids = shown_bids(enquiry.bids.all(), now)  # type: ignore[attr-defined]
    places = BatchPlace.objects.filter(need=need, state=BatchPlace.State.ACCEPTED)
    ids = [enquiry.reservation_id for enquiry in enquiries if enquiry.reservation_id]
    own = Reservation.objects.filter(user_id=need.user_id, for_need=need.pk)
    ids += [pk for (pk,) in places.values_list("reservation_id").union(own.values_list("pk"))]
    bookings = reservations_for(actor).filter(pk__in=ids).order_by("start_at", "id") if ids else ()
    return Steps(enquiries, [shown(row, now) for row in bookings])


def need_behind(actor: Actor, reservation: Reservation) -> Need | None:
    """Return the need for which a time was kept or booked; None if there is none that the actor may read. Two
    statements for people of the payer, none for others."""
    if actor.user_id != reservation.user_id and not actor.may(
        "book-for-members", place_of(reservation.organisation)
    ):
        return None
    met = Enquiry.objects.filter(reservation=reservation).values_list("need_id")
    offered = Enquiry.objects.filter(bids__slots__reservation=reservation).values_list("need_id")
    placed = BatchPlace.objects.filter(reservation=reservation).values_list("need_id")
    found = [reservation.for_need, *(pk for (pk,) in met.union(offered, placed))]
    ids = [pk for pk in found if pk]
    return needs_for(actor).filter(pk__in=ids, user_id=reservation.user_id).first() if ids else None
