"""The manifest of *register*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_HOST, Area, Merges, Record
from accounts.domain.hooks import HookEvent
from accounts.selectors.memberships import LIMITS
from instruments.register.models import Facility, Instrument
from instruments.register.selectors.events import INSTRUMENT, of_instrument
from instruments.register.selectors.registry import instruments_for, role_limits

AREA = Area(
    "instruments.register",
    records=(
        Record(Instrument, "name", "name_zh", page="bookings:instrument", seen=instruments_for),
        Record(Facility, "name", "name_zh"),
    ),
    joins=((LIMITS, role_limits),),
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
            of_instrument, INSTRUMENT,
        ),
        HookEvent(
            "instrument.changed", _("a published record changes"), 190,
            ("instrument.changed",),
            of_instrument, INSTRUMENT,
        ),
    ),
)  # fmt: skip
