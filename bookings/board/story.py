"""The demonstration's demand board: an open enquiry with a bid, one with competing bids, one that is awarded,
and a cluster; alarms as the nightly job raises them, one of them answered with a reason that the hours
contradict."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.board.domain.enquiries import two_days
from bookings.board.models import Bid, Enquiry, IdleAlarm
from bookings.board.services.alarms import alarm_answer, alarms_review
from bookings.board.services.bids import BidValues, bid_make
from bookings.board.services.enquiries import EnquiryValues, enquiry_accept, enquiry_make
from bookings.catalogue.selectors.catalogue import load_offers
from bookings.needs.services.needs import NeedValues, need_make
from bookings.record.domain.periods import Period
from bookings.world import Offer, Person, World
from instruments.register.models import Instrument

MANAGER, HOST = "manager@demo.test", "hefei-materials"
PUBLISHED = timedelta(days=500)  # long enough for twelve whole months
ASKED = timedelta(hours=20)
# What is asked for, and the sample.
ROUGHNESS = ("Roughness of a polished wafer after etching", "wafer")
# What rivals say of themselves, one after the other.
RIVALS = (
    "A cryoprobe, and the spectrum is assigned by an experienced operator.",
    "样品到达后两天内测完，附原始数据。 / Measured within two days of arrival, with raw data.",
)
STRUCTURE = ("Structure of a new phosphine ligand in solution", "5 mg in deuterated chloroform")


def tell(world: World) -> str:
    """Create enquiries: two of the demonstration's researcher, for the second of which hosts of several
    regions bid, and one for each other organisation of that region, the first of which is awarded."""
    places, offers, now = world.places, world.offers, world.now
    asker = places.people["researcher@demo.test"]
    code, fitting = _fitting(offers, "hf-afm")
    first = _ask(asker, code, now, *ROUGHNESS)
    for offer in fitting[:2]:
        _bid(first, offer, now)
    code_of_rivals, rivals = _fitting(offers, "hf-nmr")
    contested = _ask(asker, code_of_rivals, now, *STRUCTURE)
    for number, offer in enumerate(rivals):
        _bid(contested, offer, now, RIVALS[number % len(RIVALS)])
    others = {
        person.organisation.pk: person
        for person in places.researchers
        if person.organisation is not None
        and asker.organisation is not None
        and person.organisation.region_id == asker.organisation.region_id
        and person.organisation != asker.organisation
    }
    enquiries = [_ask(person, code, now, *ROUGHNESS) for person in others.values()]
    for enquiry, person in zip(enquiries[:1], others.values(), strict=False):
        bids = [bid for offer in fitting if (bid := _bid(enquiry, offer, now))]
        for bid in bids:  # the house rules of some bids may have to be accepted first
            slot = bid.slots.order_by("pk")[0]
            with suppress(Refused):
                enquiry_accept(By(person.actor, now), enquiry_id=enquiry.pk, slot_id=slot.pk)
                break
    return f"{2 + len(enquiries)} enquiries"


def _fitting(offers: Sequence[Offer], key: str) -> tuple[str, list[Offer]]:
    """Return the first technique of an instrument, and the offers that have this technique."""
    code = next(offer for offer in offers if offer.key == key).data["techniques"][0]
    return code, [o for o in offers if code in o.data["techniques"] and o.until is None]


def _ask(person: Person, code: str, now: datetime, text: str, sample: str) -> Enquiry:
    by = By(person.actor, now - ASKED)
    values = NeedValues(
        text, now + timedelta(days=2), now + timedelta(days=20), 120, terms=[code], sample=sample
    )
    return enquiry_make(by, need_id=need_make(by, values=values).pk, values=EnquiryValues(sample=sample))


def _bid(enquiry: Enquiry, offer: Offer, now: datetime, text: str = "We know this material.") -> Bid | None:
    """Bid with the first free times; return None if the host cannot serve the person who enquired."""
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
    values = BidValues(two_days(starts), mode, ["after-test"], text)
    try:
        return bid_make(
            By(offer.manager.actor, now - timedelta(hours=2)),
            enquiry_id=enquiry.pk,
            instrument_id=offer.instrument.pk,
            values=values,
        )
    except Refused:
        return None


def end(world: World) -> str:
    """Backdate some instruments of the manager, raise the alarms that follow, and answer one."""
    places, now = world.places, world.now
    host = Instrument.objects.filter(organisation__code=HOST, publication="published")
    for instrument in host.order_by("name")[:3]:
        instrument.published_at = now - PUBLISHED
        instrument.save(update_fields=["published_at"])
    alarms_review(now=now)
    rows = IdleAlarm.objects.filter(instrument__organisation__code=HOST, kind__in=["idle", "under_used"])
    if row := rows.order_by("instrument__name").first():
        alarm_answer(
            By(places.people[MANAGER].actor, now),
            alarm_id=row.pk,
            reason="full",
            due_date=(now + timedelta(days=60)).date(),
            note="Our own groups use it every day.",
        )
    return f"{IdleAlarm.objects.count()} alarms, one answered"
