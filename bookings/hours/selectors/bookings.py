"""Compute figures of reservations: how far ahead people book, what they cancel late and what they do not
use."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from django.db.models import QuerySet, Sum
from psycopg.sql import SQL, Composable

from accounts.domain.roles import Actor
from accounts.statements import statements
from bookings.hours.models import FacilityBookings, FacilityLead
from bookings.hours.selectors.behind import Behind, load_behind
from bookings.hours.selectors.scope import HoursScope
from bookings.hours.selectors.sums import Kept, fetch, load_kept, require_few_days, whole_months
from instruments.register.models import Instrument

LATE_HOURS = 24  # before the start
WIDTHS = (1024, 32, 1)  # widths of `FacilityLead`, in minutes


@dataclass(frozen=True)
class BookingFigures:
    """Figures of bookings that began, or would have begun, on the requested days.

    `booked`: ever confirmed. `cancelled`: those of them cancelled by the payer's side; `cancelled_late`: less
    than `LATE_HOURS` before the start. `not_used`: nobody came. `lead_hours`: the median time, in whole
    minutes, from request to start of `booked` that were requested before they began; None if there are none.
    """

    booked: int = 0
    booked_minutes: int = 0
    cancelled: int = 0
    cancelled_late: int = 0
    cancelled_late_minutes: int = 0
    not_used: int = 0
    not_used_minutes: int = 0
    lead_hours: Decimal | None = None


_SQL = statements(__file__)
# The counts of `BookingFigures`, for a reservation `r`; the roll-up uses the same.
OF_BOOKING = _SQL["of_booking"].format(late=LATE_HOURS)
_BOOKINGS = _SQL["bookings"].format(of_booking=OF_BOOKING, scope=SQL("{scope}"))


def _statement(name: str, **parts: Any) -> Composable:
    return _SQL[name].format(bookings=_BOOKINGS, numbers=_SQL["numbers"], **parts)


# The numbers of `BookingFigures`, with the bookings that each counts.
COUNTED = {"booked": "TRUE", "cancelled_late": "is_late", "not_used": "is_missed"}
COUNTS = (
    "booked", "booked_minutes", "cancelled", "cancelled_late", "cancelled_late_minutes",
    "not_used", "not_used_minutes",
)  # fmt: skip


def booking_figures(
    scope: HoursScope, *, since: date, until: date, kept: Kept | None = None
) -> BookingFigures:
    """Return the figures of the local days [since, until). Whole months of facilities are read as the last
    roll-up left them. Three statements; for whole months at most six, and one more for days on each side of
    them. Raises `Invalid` (too-many-days) for more single days than `MOST_DAYS`."""
    first, last = whole_months(since, until, ())
    if scope.facilities is None or not (kept or load_kept(since, until)).is_filled:
        first, last = until, until
    if last - first < until - since:
        require_few_days(scope.instruments, (until - since - (last - first)).days)
    if first == last:
        return _of_days(scope.instruments, since, until)
    months = {"facility__in": scope.facilities, "month__gte": first, "month__lt": last}
    return _of_months(months, scope.instruments, [(since, first), (last, until)])


def _of_days(instruments: QuerySet[Instrument], since: date, until: date) -> BookingFigures:
    rows = fetch(_statement("figures"), instruments, _days(since, until))
    *numbers, lead = rows[0] if rows else (*[0] * len(COUNTS), None)
    return _figures(map(int, numbers), lead)


def _of_months(
    months: Mapping[str, Any], instruments: QuerySet[Instrument], besides: Iterable[tuple[date, date]]
) -> BookingFigures:
    """Return the figures of some months' sums, and of single days of `instruments` besides."""
    sums = FacilityBookings.objects.filter(**months).aggregate(
        **{name: Sum(name, default=0) for name in COUNTS}
    )
    counts = [int(sums[name] or 0) for name in COUNTS]
    single = Counter[int]()  # bookings of the single days, by their lead
    for since, until in besides:
        rows = fetch(_statement("leads"), instruments, _days(since, until)) if since < until else []
        for lead, *numbers in rows:
            counts = [n + int(m) for n, m in zip(counts, numbers, strict=True)]
            single[lead] += numbers[0]

    @cache
    def counted(width: int, low: int, high: int | None) -> Mapping[int, int]:
        """Count the bookings with a lead from `low` to below `high` minutes, by lead // width."""
        leads = FacilityLead.objects.filter(**months, width=width)
        if high is not None:
            leads = leads.filter(lead__gte=low // width, lead__lt=high // width)
        found = Counter(dict(leads.values_list("lead").annotate(Sum("bookings"))))
        for lead, number in single.items():
            if low <= lead and (high is None or lead < high):
                found[lead // width] += number
        return found

    return _figures(counts, _median(counted))


def _median(counted: Callable[[int, int, int | None], Mapping[int, int]]) -> float | None:
    """Return the median in minutes, looked up in wide groups first, then within one of them. `counted(width,
    low, high)` gives the number of bookings in each group of that width between two minutes."""

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
    return BookingFigures(**dict(zip(COUNTS, numbers, strict=True)), lead_hours=lead)


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
    """Return the bookings that one of the numbers of `booking_figures` counts (`COUNTED`), by their start.
    Four statements. Raises `Invalid` (too-many-days) as `booking_figures` does."""
    require_few_days(instruments, (until - since).days)
    statement = _statement("rows", which=SQL(COUNTED[counted]), most=most, skipped=skipped)
    return load_behind(actor, fetch(statement, instruments, _days(since, until)))
