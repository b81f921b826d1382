"""Hours that are for certain people only: weekly windows of the instrument's wall clock in which
others book nothing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bookings.record.domain.periods import Period
from instruments.domain.opening import instant, local_date
from instruments.domain.policies import GroupHours

CODES = {
    "certified": "hours-for-certified",
    "organisation": "hours-for-organisation",
    "region": "hours-for-region",
}


def windows_of(
    rules: Sequence[GroupHours], zone: ZoneInfo, within: Period
) -> Iterator[tuple[Period, GroupHours]]:
    """Give the windows of the rules that meet a span, each with its rule. Where a clock change
    reads twice they last longer, as opening hours do."""
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
    """Give each rule that keeps somebody out of a part of the period, once. `certified`: when the
    person's certificates hold, by what they are for; one must hold through the whole period."""
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
