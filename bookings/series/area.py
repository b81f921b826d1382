"""The manifest of *series*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import KEPT, Area, Merges, Personal, Record
from bookings.series.messages import ACTS, REFUSALS
from bookings.series.models import Series
from bookings.series.selectors.series import series_seen

AREA = Area(
    "bookings.series",
    refusals=REFUSALS,
    records=(
        Record(Series, "instrument__name", "instrument__name_zh", page="bookings:series", seen=series_seen),
    ),
    acts=ACTS,
    personal=(
        Personal(
            "series", Series, {"made_by": KEPT, "user": KEPT},
            "id rule time_zone starts_at minutes created_at user_id made_by_id "
            "instrument=instrument__name payer=organisation__code",
        ),
    ),
    merges=(
        Merges("series", Series, 10, _("Booking series")),
    ),
)  # fmt: skip
