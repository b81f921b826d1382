"""Check quotas and the share kept for other regions against what is booked.

Rules: docs/availability.md, "Rules". The limits themselves: instruments/policy/domain/policies.py.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bookings.availability.domain.kept_hours import shown_hours
from bookings.record.domain.months import month_after
from bookings.record.domain.periods import Period, clip
from bookings.record.domain.refusals import Refusal
from instruments.policy.domain.policies import Quota, Share
from instruments.reading.domain.clock import day_span, local_date

CODES = {"user": "user-quota", "organisation": "organisation-quota", "price_group": "group-quota"}
ZERO = timedelta()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Booked:
    """A reservation that counts for limits: it occupies a unit, was completed or was missed."""

    period: Period
    user: Hashable
    organisation: Hashable
    price_group: str
    is_same_region: bool
    is_missed: bool = False  # counts in quotas, not in the share


def day_of(zone: ZoneInfo, day: date, days: int) -> Period:
    """Return the period of `days` local days from `day` on."""
    return Period(day_span(zone, day)[0], day_span(zone, day + timedelta(days=days - 1))[1])


def local_spans(per: str, zone: ZoneInfo, period: Period) -> Iterator[Period]:
    """Yield the local days, ISO weeks or months that a period touches, in order."""
    day = local_date(zone, period.start)
    if per == "week":
        day -= timedelta(days=day.weekday())
    elif per == "month":
        day = day.replace(day=1)
    while True:
        days = {"day": 1, "week": 7}.get(per) or (month_after(day) - day).days
        span = day_of(zone, day, days)
        if span.start >= period.end:
            return
        yield span
        day += timedelta(days=days)


def counted_span(
    quotas: Sequence[Quota], share: Share | None, zone: ZoneInfo, period: Period
) -> Period | None:
    """Return the span whose bookings are needed to judge any wish inside `period`; None if none are needed.
    (The limit `upcoming` also counts bookings after it, whenever they end.)"""
    pers = {quota.per for quota in quotas} - {"upcoming"}
    if share is not None:
        pers.add("week")
    spans = [span for per in sorted(pers) for span in local_spans(per, zone, period)]
    if not spans and not quotas:
        return None
    if not spans:
        return period
    return Period(min(span.start for span in spans), max(span.end for span in spans))


class Tally:
    """The bookings of one person so far, counted by each limit. It is correct for wishes inside the span that
    `booked` covers. `offered` gives the time on offer in a week, summed over units."""

    def __init__(
        self,
        *,
        quotas: Sequence[Quota],
        share: Share | None,
        zone: ZoneInfo,
        booked: Iterable[Booked],
        now: datetime,
        user: Hashable,
        organisation: Hashable,
        price_group: str,
        is_same_region: bool,
        offered: Callable[[Period], timedelta],
    ) -> None:
        self.zone = zone
        self.now = now
        self.quotas = [q for q in quotas if q.price_group in (None, price_group)]
        self.share = share if is_same_region else None
        self.offered = offered
        rows = list(booked)
        keys = {"user": user, "organisation": organisation, "price_group": price_group}
        self._counted = {
            quota: [
                row.period
                for row in rows
                if getattr(row, quota.scope) == keys[quota.scope]
                and quota.price_group in (None, row.price_group)
            ]
            for quota in self.quotas
        }
        self._neighbours = [row.period for row in rows if row.is_same_region and not row.is_missed]
        self._used: dict[tuple[Quota, Period], tuple[timedelta, int]] = {}
        self._weeks: dict[Period, tuple[timedelta, timedelta]] = {}

    def refusals(self, period: Period) -> Iterator[Refusal]:
        """Yield a refusal for every limit that a booking of `period` would exceed."""
        for quota in self.quotas:
            if refusal := self._over(quota, period):
                yield refusal
        if self.share is not None and (refusal := self._beyond_share(self.share, period)):
            yield refusal

    def _over(self, quota: Quota, period: Period) -> Refusal | None:
        if quota.per == "upcoming":
            ahead = [p for p in self._counted[quota] if p.end > self.now]
            used = (sum((p.length for p in ahead), ZERO), len(ahead))
            pieces = [(used, period)] if period.end > self.now else []
        else:
            pieces = [
                (self._used_in(quota, span), piece)
                for span in local_spans(quota.per, self.zone, period)
                if (piece := clip(period.start, period.end, span))
            ]
        for (hours, bookings), piece in pieces:
            if quota.unit == "bookings":
                total, is_over = str(bookings + 1), bookings + 1 > quota.limit
                so_far = str(bookings)
            else:
                sum_ = hours + piece.length
                is_over = sum_ > _hours(quota)
                total, so_far = shown_hours(sum_), shown_hours(hours)
            if is_over:
                return Refusal(
                    CODES[quota.scope],
                    {
                        "limit": f"{quota.limit.normalize():f}",
                        "unit": quota.unit,
                        "per": quota.per,
                        "used": so_far,
                        "total": total,
                    },
                )
        return None

    def _used_in(self, quota: Quota, span: Period) -> tuple[timedelta, int]:
        if (quota, span) not in self._used:
            pieces = [piece for p in self._counted[quota] if (piece := clip(p.start, p.end, span))]
            self._used[quota, span] = (sum((p.length for p in pieces), ZERO), len(pieces))
        return self._used[quota, span]

    def _beyond_share(self, share: Share, period: Period) -> Refusal | None:
        if period.start - self.now <= timedelta(minutes=share.released_minutes):
            return None
        for week in local_spans("week", self.zone, period):
            if week not in self._weeks:
                used = [clip(p.start, p.end, week) for p in self._neighbours]
                taken = sum((p.length for p in used if p), ZERO)
                self._weeks[week] = (taken, self.offered(week))
            taken, offered = self._weeks[week]
            piece = clip(period.start, period.end, week)
            total = taken + (piece.length if piece else ZERO)
            # Whole numbers, so that equal passes.
            if total * 100 > offered * (100 - share.percent):
                return Refusal(
                    "kept-for-other-regions",
                    {
                        "percent": share.percent,
                        "used": shown_hours(taken),
                        "total": shown_hours(total),
                        "limit": shown_hours(offered * (100 - share.percent) / 100),
                        "released_minutes": share.released_minutes,
                    },
                )
        return None


def _hours(quota: Quota) -> timedelta:
    return timedelta(microseconds=int(quota.limit * 3_600_000_000))
