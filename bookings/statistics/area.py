"""The manifest of *statistics*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import GONE, Area, Personal, Record
from accounts.menu import FIGURES, Below, MenuEntry, everybody
from accounts.selectors.names import person
from bookings.statistics.messages import ACTS, REFUSALS
from bookings.statistics.models import HoursExport

AREA = Area(
    "bookings.statistics",
    refusals=REFUSALS,
    menu=(MenuEntry("bookings:hours", _("Hours"), "chart-bar", FIGURES, 10, everybody),),
    below=(Below("bookings:hours", "hours-*"),),
    records=(
        Record(
            HoursExport, person("user__"), at="created_at",
            kind=_("file of hours"), acts="hours-export",
        ),
    ),
    acts=ACTS,
    personal=(
        Personal(
            "files_of_hours", HoursExport, {"user": GONE},
            "id table format asked state created_at ended_at",
        ),
    ),
)  # fmt: skip
