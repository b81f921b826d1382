"""Check the units of an instrument that are in use."""

from datetime import datetime

from django.db.models import Max

from accounts.domain.errors import WrongState
from bookings.availability.models import Occupancy
from bookings.availability.selectors.availability import live
from instruments.policy.domain.policies import Policy
from instruments.register.models import Instrument


def units_of(instrument: Instrument) -> int:
    """Return how many units of an instrument are booked as one pool."""
    return instrument.policy.units if hasattr(instrument, "policy") else 1


def refuse_units_in_use(instrument: Instrument, policy: Policy, now: datetime) -> None:
    """Raise `WrongState` (`units-in-use`) if a unit above the policy's number is booked or in use from now
    on. It takes one statement; the caller holds the instrument's lock."""
    highest = Occupancy.objects.filter(
        live(now), instrument=instrument, reservation__isnull=False, span__endswith__gt=now
    ).aggregate(highest=Max("unit"))["highest"]
    if highest is not None and highest > policy.units:
        raise WrongState("units-in-use", units=highest)
