"""The part of the demonstration that waits at the instruments: a fault that nobody has decided, and a tablet
to be enrolled."""

from datetime import timedelta

from accounts.domain.roles import By
from bookings.usage.services.faults import fault_report
from bookings.usage.services.kiosks import kiosk_create
from bookings.world import World

HOST = "hefei-materials"
HOUR = timedelta(hours=1)


def begin(world: World) -> str:
    """Report the fault, and set up the tablet."""
    people, now = world.places.people, world.now
    own = [o.instrument for o in world.offers if o.instrument.organisation.code == HOST]
    afm = next(offer.instrument for offer in world.offers if offer.key == "hf-afm")
    fault_report(
        By(people["researcher@demo.test"].actor, now - 3 * HOUR),
        instrument_id=afm.pk,
        severity="usable",
        text="The laser spot drifts off the cantilever after half an hour.",
    )
    kiosk_create(
        By(people["manager@demo.test"].actor, now - HOUR),
        name="Entrance of the centre",
        instrument_ids=[instrument.pk for instrument in own[:4]],
    )
    return "a fault report, and a kiosk"
