"""What reservations tell beside the hours: how far ahead people book, what they cancel late and
what they do not use."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from accounts.domain.roles import Actor
from bookings.hours.selectors.behind import Behind, load_behind
from bookings.hours.selectors.sums import fetch
from instruments.models import Instrument

LATE_HOURS = 24  # before the start


@dataclass(frozen=True)
class BookingFigures:
    """Of bookings that began, or would have begun, on the days asked for.

    `booked`: confirmed at some time. `cancelled`: of those, by the payer's side, `cancelled_late`
    less than `LATE_HOURS` before the start. `not_used`: nobody came. `lead_hours`: from the
    request to the start, the median of `booked` that were asked for before they began; None
    without any.
    """

    booked: int = 0
    booked_minutes: int = 0
    cancelled: int = 0
    cancelled_late: int = 0
    cancelled_late_minutes: int = 0
    not_used: int = 0
    not_used_minutes: int = 0
    lead_hours: Decimal | None = None


_BOOKINGS = """
FROM (
    SELECT r.id, r.state, r.start_at, r.end_at, r.user_id, r.organisation_id, i.name, i.name_zh,
        f.time_zone, (date_part('epoch', r.end_at - r.start_at) / 60)::int AS minutes,
        date_part('epoch', r.start_at - r.requested_at) / 3600 AS lead,
        r.state = 'cancelled' AND NOT r.is_ended_by_host AS is_cancelled,
        r.state = 'cancelled' AND NOT r.is_ended_by_host
            AND r.ended_at > r.start_at - make_interval(hours => %s) AS is_late,
        r.state = 'no_show' AS is_missed
    FROM instruments_instrument i
    JOIN instruments_facility f ON f.id = i.facility_id
    JOIN bookings_reservation r ON r.instrument_id = i.id
    WHERE i.id IN ({scope})
        AND r.confirmed_at IS NOT NULL
        AND r.start_at >= %s::timestamp - interval '1 day'
        AND r.start_at < %s::timestamp + interval '1 day'
        AND (r.start_at AT TIME ZONE f.time_zone)::date >= %s
        AND (r.start_at AT TIME ZONE f.time_zone)::date < %s
) bookings
"""
_FIGURES = f"""
SELECT count(*), coalesce(sum(minutes), 0),
    count(*) FILTER (WHERE is_cancelled),
    count(*) FILTER (WHERE is_late), coalesce(sum(minutes) FILTER (WHERE is_late), 0),
    count(*) FILTER (WHERE is_missed), coalesce(sum(minutes) FILTER (WHERE is_missed), 0),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lead) FILTER (WHERE lead >= 0)
{_BOOKINGS}
"""
_ROWS = f"""
SELECT bookings.id, NULL, state, start_at, end_at, bookings.name, bookings.name_zh, time_zone,
    o.name, o.name_zh, minutes, user_id, NULL, lead, '', NULL,
    count(*) OVER (), sum(minutes) OVER (), 0
{_BOOKINGS}
JOIN accounts_organisation o ON o.id = organisation_id
WHERE {{which}}
ORDER BY start_at, bookings.id
LIMIT {{most:d}} OFFSET {{skipped:d}}
"""
# Numbers of `BookingFigures` -> the bookings they count.
COUNTED = {"booked": "TRUE", "cancelled_late": "is_late", "not_used": "is_missed"}


def booking_figures(
    instruments: QuerySet[Instrument], *, since: date, until: date
) -> BookingFigures:
    """Return the figures of the local days [since, until). One statement."""
    days = (since, until, since, until)
    rows = fetch(_FIGURES, instruments, days, before=[LATE_HOURS])
    if not rows:
        return BookingFigures()
    row = rows[0]
    numbers = dict(zip(BookingFigures.__dataclass_fields__, map(int, row[:-1]), strict=False))
    lead = None if row[-1] is None else round(Decimal(row[-1]), 1)
    return BookingFigures(**numbers, lead_hours=lead)


def booking_rows(
    actor: Actor,
    instruments: QuerySet[Instrument],
    *,
    since: date,
    until: date,
    counted: str,
    most: int,
    skipped: int = 0,
) -> Behind:
    """The bookings that one of the numbers of `booking_figures` counts (`COUNTED`), by their
    start. Three statements."""
    which = COUNTED[counted]
    statement = _ROWS.format(scope="{scope}", which=which, most=most, skipped=skipped)
    days = (since, until, since, until)
    return load_behind(actor, fetch(statement, instruments, days, before=[LATE_HOURS]))
