"""The manifest of *hours*."""

from accounts.areas import FOR_PLATFORM, Area, Record
from bookings.hours.messages import ACTS, REFUSALS
from bookings.hours.models import NormHours

AREA = Area(
    "bookings.hours",
    refusals=REFUSALS,
    records=(
        Record(NormHours, acts="norm"),
    ),
    acts=ACTS,
    official={
        "bookings.NormHours.entered_by": FOR_PLATFORM,
    },
)  # fmt: skip
