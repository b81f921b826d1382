"""The manifest of *privacy*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_PLATFORM, Area, Record
from accounts.menu import Below
from bookings.privacy.messages import ACTS, REFUSALS
from bookings.privacy.models import HoldingPeriod

AREA = Area(
    "bookings.privacy",
    refusals=REFUSALS,
    below=(Below("accounts:people", "member-end"), Below("bookings:operations-settings", "holding-periods")),
    acts=ACTS,
    records=(Record(HoldingPeriod, "kind", kind=_("holding period"), acts="holdingperiod"),),
    official={"bookings.HoldingPeriod.entered_by": FOR_PLATFORM},
)  # fmt: skip
