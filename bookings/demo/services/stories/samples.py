"""Samples on bookings that are coming, in several states."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.domain.roles import By
from bookings.demo.services.files import load
from bookings.demo.services.offers import Offer
from bookings.demo.services.places import Places
from bookings.record.models import Reservation
from bookings.samples.services.joining import samples_join
from bookings.samples.services.samples import SampleValues, Step, sample_announce, samples_step

ANNOUNCED = timedelta(days=7)


def samples_make(places: Places, offers: Sequence[Offer], now: datetime) -> int:
    """How many there are. `then` befalls the first of several alone."""
    by_key = {offer.key: offer.instrument for offer in offers}
    count = 0
    for row in load("samples")["samples"]:
        person, instrument = places.people[row["person"]], by_key[row["instrument"]]
        booking = (
            Reservation.objects.filter(
                user=person.user,
                instrument=instrument,
                state__in=["requested", "confirmed"],
                start_at__gt=now,
            )
            .order_by("start_at")
            .first()
        )
        if booking is None:
            continue
        values = {name: row[name] for name in SampleValues.__dataclass_fields__ if name in row}
        samples = sample_announce(
            By(person.actor, now - ANNOUNCED),
            values=SampleValues(**values),
            organisation=booking.organisation.code,
            number=row.get("number", 1),
        )
        samples_join(
            By(person.actor, booking.requested_at),
            reservation_id=booking.pk,
            sample_ids=[one.pk for one in samples],
        )
        count += len(samples)
        host = places.manager_of(instrument.organisation)
        steps = [(samples, each) for each in row.get("steps", ())]
        steps += [(samples[:1], each) for each in row.get("then", ())]
        for some, (side, state, hours, said) in steps:
            actor = person.actor if side == "owner" else host.actor
            samples_step(
                By(actor, now - timedelta(hours=hours)),
                sample_ids=[one.pk for one in some],
                step=Step(state, **said),
            )
    return count
