"""Load ratings of an instrument for its managers."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Avg, Count, Q, QuerySet

from bookings.record.models import InstrumentRating, UsageSession
from instruments.register.models import Instrument


@dataclass(frozen=True)
class Ratings:
    """Usage sessions with a rating or remarks, latest first. `mean` and `count` cover all ratings of the
    days, whichever are listed."""

    sessions: QuerySet[UsageSession]
    count: int
    mean: float | None


def ratings_of(
    instrument: Instrument, *, rating: int | None = None, since: date | None = None, until: date | None = None
) -> Ratings:
    """Return the ratings of sessions on an instrument that began on the days from `since` to `until`, both
    included, in its facility's time zone. It takes one statement besides the list."""
    zone = instrument.facility.zone
    rows = UsageSession.objects.filter(instrument=instrument, checked_out_at__isnull=False)
    if since is not None:
        rows = rows.filter(checked_in_at__gte=datetime.combine(since, time(), zone))
    if until is not None:
        after = until + timedelta(days=1)
        rows = rows.filter(checked_in_at__lt=datetime.combine(after, time(), zone))
    sums = rows.aggregate(count=Count("rating"), mean=Avg("rating"))
    listed = rows.filter(rating=rating) if rating else rows.filter(~Q(rating=None) | ~Q(remarks=""))
    return Ratings(
        listed.select_related("reservation__user", "reservation__organisation", "marks").order_by(
            "-checked_in_at", "-id"
        ),
        **sums,
    )


def load_rating(instrument_id: UUID) -> InstrumentRating | None:
    """Return what everybody may read of an instrument's ratings; None if too few people have rated it."""
    return InstrumentRating.objects.filter(instrument=instrument_id).first()
