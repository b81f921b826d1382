"""The manifest of *register*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_HOST, Area, Merges, Record
from accounts.domain.hooks import HookEvent
from instruments.register.models import Facility, Instrument
from instruments.register.selectors.events import of_instrument
from instruments.register.selectors.registry import instruments_for

AREA = Area(
    "instruments.register",
    records=(
        Record(Instrument, "name", "name_zh", page="bookings:instrument", seen=instruments_for),
        Record(Facility, "name", "name_zh"),
    ),
    official={"instruments.Instrument.submitted_by": FOR_HOST},
    merges=(
        Merges(
            "facilities", Facility, 110, _("Facilities"),
            names="name", renamed="name", is_handed_over=False,
        ),
    ),
    events=(
        HookEvent(
            "instrument.published", _("an instrument is published"), 180,
            ("instrument.published",),
            of_instrument,
        ),
        HookEvent(
            "instrument.changed", _("a published record changes"), 190,
            ("instrument.changed",),
            of_instrument,
        ),
    ),
)  # fmt: skip
