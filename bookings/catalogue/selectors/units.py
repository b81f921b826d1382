"""Units in use."""

from datetime import datetime

from django.db.models import Max

from accounts.domain.errors import WrongState
from bookings.availability.models import Occupancy
from bookings.availability.selectors.availability import live
from instruments.domain.policies import Policy
from instruments.models import Instrument


def units_of(instrument: Instrument) -> int:
    """How many are booked as one pool."""
    return instrument.policy.units if hasattr(instrument, "policy") else 1


def refuse_units_in_use(instrument: Instrument, policy: Policy, now: datetime) -> None:
    """`WrongState` (`units-in-use`) if a unit above the policy's number is booked or in use from
    now on. One statement; ask under the instrument's lock."""
    highest = Occupancy.objects.filter(
        live(now), instrument=instrument, reservation__isnull=False, span__endswith__gt=now
    ).aggregate(highest=Max("unit"))["highest"]
    if highest is not None and highest > policy.units:
        raise WrongState("units-in-use", units=highest)
