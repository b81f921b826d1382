"""What people say of an instrument after using it, for its managers."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Avg, Count, Q, QuerySet

from bookings.record.models import InstrumentRating, UsageSession
from instruments.models import Instrument


@dataclass(frozen=True)
class Ratings:
    """Sessions with a rating or remarks, the latest first; `mean` and `count` are of all ratings
    of the days, whichever is listed."""

    sessions: QuerySet[UsageSession]
    count: int
    mean: float | None


def ratings_of(
    instrument: Instrument,
    *,
    rating: int | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Ratings:
    """Of one instrument, of sessions begun on the days from `since` to `until`, both included, in
    its facility's zone. One statement beside the list."""
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
    """Return what everybody may read of an instrument's ratings; None where too few have rated."""
    return InstrumentRating.objects.filter(instrument=instrument_id).first()
