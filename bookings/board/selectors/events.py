"""Load the webhook events about enquiries and bids. None says who enquires: of a confidential enquiry hosts
do not learn it."""

from uuid import UUID

from accounts.domain.hooks import (
    ID,
    INSTANT,
    WHOLE,
    Datum,
    Happening,
    Payload,
    about,
    data_of,
    instant,
    one_of,
)
from accounts.models import OutboxMessage
from bookings.board.models import Bid, Enquiry

_UNMET = about("Why it was not met.", one_of(Enquiry.Reason.values))
_BECAME = about("Id of the booking that it became.", ID)
ENQUIRY: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "state": Datum(lambda one: one.state, one_of(Enquiry.State.values)),
    "reason": Datum(lambda one: one.reason or None, _UNMET, may_lack=True),
    "earliest": Datum(lambda one: instant(one.earliest), INSTANT),
    "latest": Datum(lambda one: instant(one.latest), INSTANT),
    "minutes": Datum(lambda one: one.minutes, WHOLE),
    "closes_at": Datum(lambda one: instant(one.closes_at), INSTANT),
    "reservation": Datum(lambda one: one.reservation_id and str(one.reservation_id), _BECAME, may_lack=True),
    "version": Datum(lambda one: one.version, WHOLE),
}
_LOST = about("Why it was declined or lapsed, if anybody said.", one_of(Bid.Reason.values))
BID: Payload = {
    "id": Datum(lambda one: str(one.pk), ID),
    "enquiry": Datum(lambda one: str(one.enquiry_id), ID),
    "instrument": Datum(lambda one: str(one.instrument_id), ID),
    "state": Datum(lambda one: one.state, one_of(Bid.State.values)),
    "reason": Datum(lambda one: one.reason or None, _LOST, may_lack=True),
    "host": Datum(lambda one: one.host.code, about("Code of the organisation that bids.")),
    "version": Datum(lambda one: one.version, WHOLE),
}


def of_enquiry(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook event about an enquiry, for the organisation that enquires and the hosts it names.
    Other hosts find it on the board: which have a fitting instrument is too much to ask here."""
    one = Enquiry.objects.prefetch_related("hosts").get(pk=UUID(row.payload["enquiry"]))
    concerned = frozenset({one.organisation_id, *(host.pk for host in one.hosts.all())})
    return [Happening(event, one.pk, str(row.pk), concerned, data_of(ENQUIRY, one))]


def of_bid(event: str, row: OutboxMessage) -> list[Happening]:
    """Return the webhook event about a bid, for the host and the organisation that enquires."""
    one = Bid.objects.select_related("enquiry", "host").get(pk=UUID(row.payload["bid"]))
    concerned = frozenset({one.host_id, one.enquiry.organisation_id})
    return [Happening(event, one.pk, str(row.pk), concerned, data_of(BID, one))]
