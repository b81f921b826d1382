"""Locks of enquiries and bids. They are taken after those of instruments and reservations, before those of
money and people."""

from collections.abc import Iterable
from uuid import UUID

from accounts.domain.errors import NotFound
from bookings.board.domain.enquiries import STANDING
from bookings.board.models import Bid, BidSlot, Enquiry
from bookings.record.locks import lock_reservations
from bookings.record.models import Reservation
from instruments.register.locks import lock_instruments


def lock_enquiry(enquiry_id: UUID) -> Enquiry:
    """Lock an enquiry and return it; `NotFound` if there is none."""
    rows = Enquiry.objects.select_for_update(of=("self",), no_key=True).filter(pk=enquiry_id)
    enquiry = rows.select_related("organisation__region", "region", "user", "need").first()
    if enquiry is None:
        raise NotFound
    return enquiry


def lock_bids(bids: Iterable[UUID]) -> list[Bid]:
    """Lock bids in the order of their ids. Their enquiry must be locked already."""
    rows = Bid.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=list(bids))
    return list(rows.select_related("instrument", "host__region").order_by("pk"))


def lock_slots(bids: Iterable[UUID]) -> dict[UUID, list[Reservation]]:
    """Lock the reservations that bids hold, their instruments first; return them by bid."""
    slots = BidSlot.objects.filter(bid__in=list(bids))
    lock_instruments(set(slots.values_list("reservation__instrument_id", flat=True)))
    pairs = dict(slots.values_list("reservation_id", "bid_id"))
    by_bid: dict[UUID, list[Reservation]] = {}
    for reservation in lock_reservations(pairs):
        by_bid.setdefault(pairs[reservation.pk], []).append(reservation)
    return by_bid


def standing_bids(enquiry_id: UUID) -> frozenset[UUID]:
    """Return the ids of an enquiry's open bids, regardless of their deadlines."""
    rows = Bid.objects.filter(enquiry_id=enquiry_id, state__in=STANDING)
    return frozenset(rows.values_list("pk", flat=True))
