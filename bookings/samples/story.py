"""How facilities receive samples, and samples on upcoming bookings, in several states."""

from datetime import timedelta

from accounts.domain.roles import By
from bookings.record.models import Reservation
from bookings.samples.forms.receiving import ReceivingBody
from bookings.samples.services.joining import samples_join
from bookings.samples.services.receiving import receiving_set
from bookings.samples.services.samples import NextStep, SampleValues, sample_announce, samples_step
from bookings.world import World, lines_of
from instruments.managing.services.registry import facility_update

ANNOUNCED = timedelta(days=7)
SAID = timedelta(days=90)  # before anything is announced


def tell(world: World) -> str:
    """Announce samples and let hosts receive some. The steps in `then` are taken only by the first of several
    samples."""
    places, now = world.places, world.now
    by_key = {offer.key: offer.instrument for offer in world.offers}
    count, lines = 0, lines_of(__file__)
    for row in lines["receiving"]:
        facility = places.facilities[row["facility"]]
        host = places.manager_of(facility.organisation)
        said = {str(name): row.get(name) for name in ReceivingBody().fields}
        receiving_set(By(host.actor, now - SAID), facility_id=facility.pk, **said)
        hazards = {"refused_hazards": row["refused"]}
        facility_update(By(host.actor, now - SAID), facility_id=facility.pk, changes=hazards)
    for row in lines["samples"]:
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
                step=NextStep(state, **said),
            )
    return f"{count} samples"
