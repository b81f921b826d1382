"""Batches of flexible needs: some needs are offered a time, one offer is accepted, others find none."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from accounts.domain.errors import Refused
from accounts.domain.roles import By, Place
from accounts.models import Region
from bookings.needs.selectors.batches import own_offers
from bookings.needs.services.batches import batch_place_accept, batch_start, batches_place
from bookings.needs.services.needs import NeedValues, need_make
from bookings.world import Person, Places, World

ASKED, STARTED = timedelta(hours=30), timedelta(hours=2)
AHEAD, WINDOW = timedelta(days=3), timedelta(days=18)
MOST = 5  # people of a region
# Needs by the instrument whose technique meets them, for a region each.
TEXTS = {
    "hf-afm": (
        ("Wear marks on coated bearings", 120),
        ("Roughness of a polished wafer before bonding", 240),
        ("Height of steps in a graphene film", 240),
    ),
    "hf-sem": (
        ("Pores in a sintered gear", 120),
        ("Fracture surface of a weld", 180),
        ("Thickness of a zinc layer in cross-section", 240),
    ),
}


def tell(world: World) -> str:
    """Place the flexible needs of two regions of the demonstration: its researcher's and its coordinator's.
    One offer is accepted; the researcher's waits for an answer."""
    places, now = world.places, world.now
    asker = places.people["researcher@demo.test"]
    assert asker.organisation is not None
    number = 0
    both = (asker.organisation.region, places.regions["CN-AH"])
    regions = {each.pk: each for each in both}.values()
    for region, key in zip(regions, TEXTS, strict=False):
        people = _people(places, region, first=asker)
        code = next(o for o in world.offers if o.key == key).data["techniques"][0]
        number += _needs_make(people, TEXTS[key], code, now)
        _place(places, region, now)
        _accept([person for person in people if person != asker], now)
    return f"{number} flexible needs in a batch"


def _people(places: Places, region: Region, *, first: Person) -> list[Person]:
    people = [
        person
        for person in places.researchers
        if person.organisation is not None and person.organisation.region_id == region.pk
    ]
    return sorted(people, key=lambda person: person != first)[:MOST]


def _needs_make(people: Sequence[Person], texts: Sequence[tuple[str, int]], code: str, now: datetime) -> int:
    first, number = now + AHEAD, 0
    for person in people:
        for text, minutes in texts:
            values = NeedValues(text, first, first + WINDOW, minutes, terms=[code], is_flexible=True)
            with suppress(Refused):
                need_make(By(person.actor, now - ASKED), values=values)
                number += 1
    return number


def _place(places: Places, region: Region, now: datetime) -> None:
    there = Place(None, frozenset(region.lineage))
    coordinator = next(p for p in places.people.values() if p.actor.may("coordinate", there))
    first = now + AHEAD
    batch_start(
        By(coordinator.actor, now - STARTED), region=region.code, starts_at=first, ends_at=first + WINDOW
    )
    batches_place(now=now - STARTED)


def _accept(people: Sequence[Person], now: datetime) -> None:
    for person in people:
        place = own_offers(person.actor, now).first()
        if place is not None:
            with suppress(Refused):  # house rules may have to be accepted first
                batch_place_accept(By(person.actor, now - STARTED / 2), place_id=place.pk)
                return
