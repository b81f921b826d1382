"""The manifest of *availability*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_HOST, KEPT, Area, Merges, Personal, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import MANAGER, RESEARCHER
from accounts.menu import Below
from bookings.availability.messages import ACTS, REFUSALS
from bookings.availability.models import Closure, KeptHours
from bookings.availability.selectors.kept_hours import kept_ahead
from bookings.availability.selectors.misfits import find_misfits, find_unkept
from instruments.managing.selectors.misfits import finders

AREA = Area(
    "bookings.availability",
    refusals=REFUSALS,
    below=(
        Below("bookings:mine", "kept-hours"),
        Below("instruments:manage", "kept-hours-manage kept-hours-change kept-hours-end"),
    ),
    records=(
        Record(Closure, "instrument__name", "instrument__name_zh", "start_at"),
        Record(KeptHours, "instrument__name", "instrument__name_zh", "start_at", acts="kept-hours"),
    ),
    acts=ACTS,
    topics=(
        Topic(
            "offer", _("Times held for you"),
            _("a time you wait for, or one for a flexible need, is held for you for a while"), 80,
            roles=frozenset({RESEARCHER, MANAGER}),
        ),
    ),
    joins=(
        (finders, find_misfits),
        (finders, find_unkept),
    ),
    personal=(
        Personal(
            "kept_hours_granted", KeptHours, {"granted_by": KEPT},
            "id minutes start_at end_at reason granted_at ended_at instrument=instrument__name "
            "holder=organisation__code",
            order="granted_at",
        ),
    ),
    official={
        "bookings.Closure.created_by": FOR_HOST,
    },
    merges=(
        Merges("kept", KeptHours, 40, _("Guaranteed hours"), rows=kept_ahead, at_instruments=True),
    ),
)  # fmt: skip
