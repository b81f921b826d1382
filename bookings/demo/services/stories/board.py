"""The demand board: an open enquiry with bids, one that is awarded, and a cluster."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.board.domain.enquiries import two_days
from bookings.board.models import Bid, Enquiry
from bookings.board.services.bids import BidValues, bid_make
from bookings.board.services.enquiries import EnquiryValues, enquiry_accept, enquiry_make
from bookings.catalogue.selectors.catalogue import load_offers
from bookings.demo.services.offers import Offer
from bookings.demo.services.places import Person, Places
from bookings.needs.services.needs import NeedValues, need_make
from bookings.record.domain.periods import Period

ASKED = timedelta(hours=20)
TEXT = "Roughness of a polished wafer after etching"


def board_make(places: Places, offers: Sequence[Offer], now: datetime) -> int:
    """How many enquiries there are: of the researcher of the demonstration, and one each of the
    other organisations of that region, of which the first is awarded."""
    asker = places.people["researcher@demo.test"]
    code = next(o for o in offers if o.key == "hf-afm").data["techniques"][0]
    fitting = [o for o in offers if code in o.data["techniques"] and o.until is None]
    first = _ask(asker, code, now)
    for offer in fitting[:2]:
        _bid(first, offer, now)
    others = {
        person.organisation.pk: person
        for person in places.researchers
        if person.organisation is not None
        and asker.organisation is not None
        and person.organisation.region_id == asker.organisation.region_id
        and person.organisation != asker.organisation
    }
    enquiries = [_ask(person, code, now) for person in others.values()]
    for enquiry, person in zip(enquiries[:1], others.values(), strict=False):
        bids = [bid for offer in fitting if (bid := _bid(enquiry, offer, now))]
        for bid in bids:  # the rules of one's house may have to be read first
            slot = bid.slots.order_by("pk")[0]
            with suppress(Refused):
                enquiry_accept(By(person.actor, now), enquiry_id=enquiry.pk, slot_id=slot.pk)
                break
    return 1 + len(enquiries)


def _ask(person: Person, code: str, now: datetime) -> Enquiry:
    by = By(person.actor, now - ASKED)
    values = NeedValues(
        TEXT, now + timedelta(days=2), now + timedelta(days=20), 120, terms=[code], sample="wafer"
    )
    return enquiry_make(
        by, need_id=need_make(by, values=values).pk, values=EnquiryValues(sample="wafer")
    )


def _bid(enquiry: Enquiry, offer: Offer, now: datetime) -> Bid | None:
    """A bid for the first times that are free; None where the host cannot serve who asks."""
    mode = next((m for m in offer.instrument.service_modes if m != "self"), "self")
    found = load_offers(
        [offer.instrument],
        enquiry.organisation,
        now,
        user_id=enquiry.user_id,
        mode=mode,
        span=Period(enquiry.earliest, enquiry.latest),
        minutes=enquiry.minutes,
        most=60,
    )
    starts = found[offer.instrument.pk].starts
    if not starts:
        return None
    values = BidValues(two_days(starts), mode, ["after-test"], "We know this material.")
    try:
        return bid_make(
            By(offer.manager.actor, now - timedelta(hours=2)),
            enquiry_id=enquiry.pk,
            instrument_id=offer.instrument.pk,
            values=values,
        )
    except Refused:
        return None
