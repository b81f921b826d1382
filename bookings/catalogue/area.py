"""The manifest of *catalogue*."""

from accounts.areas import GONE, KEPT, Area, Personal, Record
from accounts.menu import Below
from accounts.selectors.names import person
from bookings.catalogue.messages import REFUSALS
from bookings.catalogue.models import BusyCalendar, UnmetDemand
from bookings.catalogue.selectors.ratecards import is_card_used
from bookings.catalogue.selectors.units import refuse_units_in_use
from instruments.policy.services.policies import guards
from instruments.rates.services.ratecards import uses

AREA = Area(
    "bookings.catalogue",
    is_asked_most=True,
    refusals=REFUSALS,
    below=(Below("bookings:catalogue", "choose"), Below("bookings:mine", "calendar")),
    records=(
        Record(BusyCalendar, person("user__")),
    ),
    joins=(
        (uses, is_card_used),
        (guards, refuse_units_in_use),
    ),
    personal=(
        Personal("own_calendars", BusyCalendar, {"user": GONE}, "address created_at read_at", order="pk"),
        Personal(
            "wishes_not_met", UnmetDemand, {"user": KEPT},
            "kind query code minutes wanted_from wanted_until created_at instrument=instrument__name",
        ),
    ),
)  # fmt: skip
