"""A batch of flexible needs: some have a time, one is accepted, others found none."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from bookings.demo.services.offers import Offer
from bookings.demo.services.places import Places
from bookings.needs.selectors.batches import own_offers
from bookings.needs.services.batches import batch_place_accept, batch_start, batches_place
from bookings.needs.services.needs import NeedValues, need_make

ASKED, STARTED = timedelta(hours=30), timedelta(hours=2)
AHEAD, WINDOW = timedelta(days=3), timedelta(days=7)
TEXTS = (
    ("Wear marks on coated bearings", 120),
    ("Roughness of a polished wafer before bonding", 240),
    ("Height of steps in a graphene film", 240),
)


def batch_make(places: Places, offers: Sequence[Offer], now: datetime) -> int:
    """How many needs there are: of the researcher of the demonstration and of others of that
    region."""
    asker = places.people["researcher@demo.test"]
    assert asker.organisation is not None
    region = asker.organisation.region
    code = next(o for o in offers if o.key == "hf-afm").data["techniques"][0]
    first = now + AHEAD
    people = [
        person
        for person in places.researchers
        if person.organisation is not None and person.organisation.region_id == region.pk
    ]
    number = 0
    for person in [asker, *(one for one in people if one != asker)]:
        for text, minutes in TEXTS:
            values = NeedValues(
                text, first, first + WINDOW, minutes, terms=[code], is_flexible=True
            )
            with suppress(Refused):
                need_make(By(person.actor, now - ASKED), values=values)
                number += 1
    coordinator = places.people["coordinator@demo.test"]
    batch_start(
        By(coordinator.actor, now - STARTED),
        region=region.code,
        starts_at=first,
        ends_at=first + WINDOW,
    )
    batches_place(now=now - STARTED)
    for person in people:
        place = own_offers(person.actor, now).first() if person != asker else None
        if place is not None:
            with suppress(Refused):  # rules of the house may have to be read first
                batch_place_accept(By(person.actor, now - STARTED / 2), place_id=place.pk)
                break
    return number
