"""Hours reserved for certain people: weekly windows by the instrument's wall clock in which others cannot
book."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bookings.record.domain.periods import Period
from instruments.policy.domain.policies import GroupHours
from instruments.reading.domain.clock import instant, local_date

CODES = {
    "certified": "hours-for-certified",
    "organisation": "hours-for-organisation",
    "region": "hours-for-region",
}


def windows_of(
    rules: Sequence[GroupHours], zone: ZoneInfo, within: Period
) -> Iterator[tuple[Period, GroupHours]]:
    """Yield the windows of the rules that overlap a span, each with its rule. If a clock change makes their
    beginning or end ambiguous they are longer, as opening hours are."""
    day, last = local_date(zone, within.start) - timedelta(days=1), local_date(zone, within.end)
    while day <= last:
        for rule in rules:
            if day.isoweekday() not in rule.days:
                continue
            ends = day + timedelta(days=1) if rule.closes <= rule.opens else day
            # An opening that a clock change leaves out begins no later than the change.
            wall = datetime.combine(day, time(), zone) + timedelta(minutes=rule.opens)
            start = min(instant(zone, day, rule.opens), wall.replace(fold=1).astimezone(UTC))
            end = instant(zone, ends, rule.closes, closing=True)
            if start < end and Period(start, end).meets(within):
                yield Period(start, end), rule
        day += timedelta(days=1)


def broken(
    rules: Sequence[GroupHours],
    zone: ZoneInfo,
    period: Period,
    *,
    price_group: str,
    is_same_region: bool,
    certified: Sequence[tuple[str, Sequence[Period]]],
) -> Iterator[GroupHours]:
    """Yield, once each, the rules that keep the person out of a part of the period. `certified` holds the
    periods in which the person's certificates are valid, by what they are for; one must be valid throughout
    the period."""
    told: set[GroupHours] = set()
    for _, rule in windows_of(rules, zone, period):
        if rule in told or _is_for(rule, period, price_group, is_same_region, certified):
            continue
        told.add(rule)
        yield rule


def _is_for(
    rule: GroupHours,
    period: Period,
    price_group: str,
    is_same_region: bool,
    certified: Sequence[tuple[str, Sequence[Period]]],
) -> bool:
    match rule.who:
        case "organisation":
            return price_group == "internal"
        case "region":
            return is_same_region or price_group == "internal"
        case _:
            return any(
                code == rule.certificate and any(span.contains(period) for span in spans)
                for code, spans in certified
            )
