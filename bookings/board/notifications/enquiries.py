"""Messages of the demand board. Messages about a confidential enquiry tell hosts no more than the board does;
only the message about the accepted bid names the person who enquired."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import holders_of, holders_of_parts
from bookings.board.domain.enquiries import enquiry_state
from bookings.board.models import Bid, Enquiry
from bookings.board.selectors.enquiries import goes_to, hosts_matched
from bookings.needs.selectors.needs import load_chosen

_ENQUIRIES = Enquiry.objects.select_related("organisation__region", "user", "need__user")
_BIDS = Bid.objects.select_related(
    "enquiry__organisation", "enquiry__user", "enquiry__reservation", "instrument__facility", "host"
)


def _matched(enquiry: Enquiry) -> Iterable[User]:
    """Return the managers of the hosts with matching instruments, also those of such instruments alone, but
    not the person who enquired."""
    people: list[User] = []
    for host in hosts_matched(enquiry, enquiry.created_at):
        people += holders_of("manager", host)
        people += [person for person in holders_of_parts("manager", host) if goes_to(person, enquiry)]
    return [person for person in dict.fromkeys(people) if person.pk != enquiry.user_id]


def _of_enquiry(enquiry: Enquiry, row: OutboxMessage, now: datetime) -> Content:
    name = "enquiry-answer" if row.kind == "enquiry.made" else "enquiry"
    term: Any = next(iter(load_chosen(enquiry.terms)), "…")
    if not enquiry.terms and enquiry.need and not enquiry.is_confidential:
        term = Truncator(enquiry.need.text).chars(60)  # it was not understood
    link = reverse(f"bookings:{name}", args=[enquiry.pk])
    days = [enquiry.earliest, enquiry.latest]
    return Content(enquiry.pk, link, {"technique": term}, {"enquiry": enquiry}, days=days)


def _times(bid: Bid) -> list[datetime]:
    """Return the start of the booking that a bid has become, or else of each time that it holds or held."""
    booking = bid.enquiry.reservation
    if bid.state == Bid.State.ACCEPTED and booking is not None:
        return [booking.start_at]
    return [slot.reservation.start_at for slot in bid.slots.select_related("reservation")]


def _of_bid(bid: Bid, row: OutboxMessage, now: datetime) -> Content:
    is_for_host = row.kind in ("bid.accepted", "bid.declined", "bid.lapsed")
    name, about = ("bid", [bid.pk]) if is_for_host else ("enquiry", [bid.enquiry_id])
    words: dict[str, object] = {"instrument": bid.instrument, "host": bid.host}
    if row.kind == "bid.accepted":
        words |= {"person": str(bid.enquiry.user), "payer": bid.enquiry.organisation}
    return Content(
        bid.pk,
        reverse(f"bookings:{name}", args=about),
        words,
        {"bid": bid},
        zone=bid.instrument.facility.time_zone,
        days=_times(bid),
        are_apart=True,
    )


_kind = partial(
    Kind,
    topic="enquiry",
    load=row_of(_BIDS, "bid"),
    readers=lambda bid: [bid.enquiry.user],
    content=_of_bid,
    template="bookings/board/mail/board",
)
_enquiry = partial(_kind, load=row_of(_ENQUIRIES, "enquiry"), content=_of_enquiry)
_to_host = partial(_kind, readers=lambda bid: holders_of("manager", bid.host_id, bid.instrument))
KINDS = table(
    _enquiry(
        "enquiry.made",
        _("Enquiry for your instruments: {technique}"),
        _("Somebody needs measurements that your instruments can make. You can bid with times and a price."),
        readers=_matched,
        is_still_true=lambda one, row, now: (
            enquiry_state(one.state, one.closes_at, now) in ("open", "answered")
        ),
    ),
    _enquiry(
        "enquiry.unmet",
        _("Enquiry closed without an award: {technique}"),
        _("Your enquiry has closed, and no bid was accepted."),
        readers=lambda one: [one.user],
    ),
    _kind(
        "bid.made",
        _("Bid for your enquiry: {instrument}"),
        _("{host} has made a bid and holds times for you. Accept one before it lapses."),
    ),
    _kind("bid.amended", _("Bid changed: {instrument}"), _("{host} has changed its bid for your enquiry.")),
    _kind(
        "bid.withdrawn", _("Bid withdrawn: {instrument}"), _("{host} has withdrawn its bid for your enquiry.")
    ),
    _to_host(
        "bid.accepted",
        _("Bid accepted: {instrument}"),
        _("{person} of {payer} has accepted your bid; the time is booked."),
    ),
    _to_host(
        "bid.declined",
        _("Bid not chosen: {instrument}"),
        _("Your bid was not chosen; the times you held are free again."),
    ),
    _to_host(
        "bid.lapsed",
        _("Bid lapsed: {instrument}"),
        _("Your bid was not answered in time; the times you held are free again."),
    ),
)
