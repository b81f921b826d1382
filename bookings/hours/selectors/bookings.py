"""What reservations tell beside the hours: how far ahead people book, what they cancel late and
what they do not use."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from django.db.models import QuerySet, Sum

from accounts.domain.roles import Actor
from bookings.hours.models import FacilityBookings, FacilityLead
from bookings.hours.selectors.behind import Behind, load_behind
from bookings.hours.selectors.scope import HoursScope
from bookings.hours.selectors.sums import Kept, fetch, load_kept, require_few_days, whole_months
from instruments.models import Instrument

LATE_HOURS = 24  # before the start
WIDTHS = (1024, 32, 1)  # of `FacilityLead`, in minutes


@dataclass(frozen=True)
class BookingFigures:
    """Of bookings that began, or would have begun, on the days asked for.

    `booked`: confirmed at some time. `cancelled`: of those, by the payer's side, `cancelled_late`
    less than `LATE_HOURS` before the start. `not_used`: nobody came. `lead_hours`: from the
    request to the start in whole minutes, the median of `booked` that were asked for before they
    began; None without any.
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
        floor(date_part('epoch', r.start_at - r.requested_at) / 60)::int AS lead,
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
_NUMBERS = """count(*), coalesce(sum(minutes), 0),
    count(*) FILTER (WHERE is_cancelled),
    count(*) FILTER (WHERE is_late), coalesce(sum(minutes) FILTER (WHERE is_late), 0),
    count(*) FILTER (WHERE is_missed), coalesce(sum(minutes) FILTER (WHERE is_missed), 0)"""
_FIGURES = f"""
SELECT {_NUMBERS}, percentile_cont(0.5) WITHIN GROUP (ORDER BY lead) FILTER (WHERE lead >= 0)
{_BOOKINGS}
"""
# With how many bookings have which lead.
_LEADS = f"""
SELECT lead, {_NUMBERS}
{_BOOKINGS}
GROUP BY lead
"""
_ROWS = f"""
SELECT bookings.id, NULL, state, start_at, end_at, bookings.name, bookings.name_zh, time_zone,
    o.name, o.name_zh, minutes, user_id, NULL, lead / 60.0, '', NULL,
    count(*) OVER (), sum(minutes) OVER (), 0
{_BOOKINGS}
JOIN accounts_organisation o ON o.id = organisation_id
WHERE {{which}}
ORDER BY start_at, bookings.id
LIMIT {{most:d}} OFFSET {{skipped:d}}
"""
# Numbers of `BookingFigures` -> the bookings they count.
COUNTED = {"booked": "TRUE", "cancelled_late": "is_late", "not_used": "is_missed"}


_COUNTS = (
    "booked", "booked_minutes", "cancelled", "cancelled_late", "cancelled_late_minutes",
    "not_used", "not_used_minutes",
)  # fmt: skip


def booking_figures(
    scope: HoursScope, *, since: date, until: date, kept: Kept | None = None
) -> BookingFigures:
    """Return the figures of the local days [since, until): of whole months of facilities as the
    last roll-up left them. Three statements, of such months six at most, and one more for days on
    each side of them. `Invalid` (too-many-days) for more days besides than `MOST_DAYS`."""
    first, last = whole_months(since, until, ())
    if scope.facilities is None or not (kept or load_kept(since, until)).is_filled:
        first, last = until, until
    if last - first < until - since:
        require_few_days(scope.instruments, (until - since - (last - first)).days)
    if first == last:
        rows = fetch(_FIGURES, scope.instruments, _days(since, until), before=[LATE_HOURS])
        *numbers, lead = rows[0] if rows else (*[0] * len(_COUNTS), None)
        return _figures(map(int, numbers), lead)
    months = {"facility__in": scope.facilities, "month__gte": first, "month__lt": last}
    sums = FacilityBookings.objects.filter(**months).aggregate(
        **{name: Sum(name, default=0) for name in _COUNTS}
    )
    counts = [int(sums[name] or 0) for name in _COUNTS]
    single: dict[int, int] = {}
    for began, ended in ((since, first), (last, until)):
        rows = (
            fetch(_LEADS, scope.instruments, _days(began, ended), before=[LATE_HOURS])
            if began < ended
            else []
        )
        for lead, *more in rows:
            counts = [n + int(m) for n, m in zip(counts, more, strict=True)]
            if lead >= 0:
                single[lead] = single.get(lead, 0) + more[0]

    @cache
    def counted(width: int, low: int, high: int | None) -> Mapping[int, int]:
        """How many bookings there are by what their lead is of so many minutes, of those from
        `low` minutes on, less than `high`."""
        leads = FacilityLead.objects.filter(**months, width=width)
        if high is not None:
            leads = leads.filter(lead__gte=low // width, lead__lt=high // width)
        found = dict(leads.values_list("lead").annotate(Sum("bookings")))
        for lead, number in single.items():
            if low <= lead and (high is None or lead < high):
                found[lead // width] = found.get(lead // width, 0) + number
        return found

    return _figures(counts, _median(counted))


def _median(counted: Callable[[int, int, int | None], Mapping[int, int]]) -> float | None:
    """The median of minutes, looked up in wide groups of them first, then within one; `counted`
    gives how many there are in the groups of a width, from a minute on until another."""

    def nth(place: int) -> int:
        low, high = 0, None
        for width in WIDTHS:
            for group, number in sorted(counted(width, low, high).items()):
                if place < number:
                    low, high = group * width, (group + 1) * width
                    break
                place -= number
        return low

    number = sum(counted(WIDTHS[0], 0, None).values())
    return (nth((number - 1) // 2) + nth(number // 2)) / 2 if number else None


def _figures(numbers: Iterable[int], minutes: float | None) -> BookingFigures:
    lead = None if minutes is None else round(Decimal(minutes / 60), 1)
    return BookingFigures(**dict(zip(_COUNTS, numbers, strict=True)), lead_hours=lead)


def _days(since: date, until: date) -> tuple[date, date, date, date]:
    return since, until, since, until


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
    start. Four statements. `Invalid` (too-many-days) as `booking_figures`."""
    require_few_days(instruments, (until - since).days)
    which = COUNTED[counted]
    statement = _ROWS.format(scope="{scope}", which=which, most=most, skipped=skipped)
    rows = fetch(statement, instruments, _days(since, until), before=[LATE_HOURS])
    return load_behind(actor, rows)
