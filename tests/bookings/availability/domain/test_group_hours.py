"""Hours for certain groups: never bookable by others, across midnight and clock changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.availability.domain.availability import Asker, Calendar, Wish
from bookings.record.domain.periods import Period
from instruments.opening.domain.opening import OpeningHours, WeeklyRule, windows
from instruments.policy.domain.policies import GroupHours, Policy

DAY = timedelta(days=1)
# Days about a change of the clock, and a zone without any.
CHANGES = {
    "Europe/Berlin": [date(2026, 3, 29), date(2026, 10, 25)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
    "America/Havana": [date(2026, 3, 8), date(2026, 11, 1)],
    "Asia/Shanghai": [date(2026, 3, 6)],
}
RULES = st.builds(
    GroupHours,
    st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    st.integers(0, 47).map(lambda n: n * 30),
    st.integers(0, 48).map(lambda n: n * 30),
    st.sampled_from(["organisation", "region", "certified"]),
    st.just("x"),
)
STRANGER = Asker("external")


def calendar_of(zone, day, rules):
    """Open at all times, in steps of a quarter of an hour."""
    always = OpeningHours(tuple(WeeklyRule(weekday, 0, 1440) for weekday in range(1, 8)))
    return Calendar(
        windows=windows(always, zone, frozenset(), day - 4 * DAY, day + 4 * DAY),
        policy=Policy(slot_minutes=15, min_minutes=15, max_minutes=600, group_hours=tuple(rules)),
        blocks=[],
        zone=zone,
    )


@st.composite
def worlds(draw):
    name = draw(st.sampled_from(sorted(CHANGES)))
    zone, day = ZoneInfo(name), draw(st.sampled_from(CHANGES[name]))
    rules = draw(st.lists(RULES, min_size=1, max_size=3))
    start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - DAY
    return calendar_of(zone, day, rules), Period(start, start + 3 * DAY), start - DAY


def is_kept(rule, wall):
    """Whether the wall clock shows a time of the rule, in the plainest words."""
    minute, weekday = wall.hour * 60 + wall.minute, wall.isoweekday()
    if rule.opens < rule.closes:
        return weekday in rule.days and rule.opens <= minute < rule.closes
    before = (wall - DAY).isoweekday()
    return (weekday in rule.days and minute >= rule.opens) or (before in rule.days and minute < rule.closes)


def is_kept_within(calendar, period):
    moments = int(period.length / timedelta(minutes=5))
    walls = [(period.start + n * timedelta(minutes=5)).astimezone(calendar.zone) for n in range(moments)]
    naive = [wall.replace(tzinfo=None) for wall in walls]
    return any(is_kept(rule, wall) for rule in calendar.policy.group_hours for wall in naive)


@given(worlds(), st.integers(1, 12))
def test_nobody_else_is_offered_or_accepted_in_them(world, slots):
    calendar, within, now = world
    length = timedelta(minutes=slots * 15)
    offered = set(calendar.starts(minutes=slots * 15, asker=STRANGER, within=within, now=now))
    start = within.start
    while start + length <= within.end:
        period = Period(start, start + length)
        refusals = calendar.check(Wish(period, STRANGER), now)
        assert (start in offered) == (not refusals)
        assert {r.code.rpartition("-")[0] for r in refusals} <= {"hours-for"}
        if is_kept_within(calendar, period):
            assert refusals
        start += timedelta(minutes=15)


@given(worlds(), st.integers(1, 12))
def test_far_from_a_clock_change_nobody_is_kept_out_of_anything_else(world, slots):
    calendar, within, now = world
    calendar.zone = ZoneInfo("Asia/Shanghai")
    period = Period(within.start, within.start + timedelta(minutes=slots * 15))
    refusals = calendar.check(Wish(period, STRANGER), now)
    assert bool(refusals) == is_kept_within(calendar, period)


@given(worlds(), st.integers(1, 12))
def test_whom_they_are_for_and_where_there_are_none_all_is_as_before(world, slots):
    calendar, within, now = world
    ask = {"minutes": slots * 15, "within": within, "now": now}
    wide = Period(within.start - 9 * DAY, within.end + 9 * DAY)
    member = Asker("internal", certified=(("x", (wide,)),))
    theirs = calendar.starts(asker=member, **ask)
    calendar.policy = replace(calendar.policy, group_hours=())
    assert theirs == calendar.starts(asker=member, **ask)
    assert theirs == calendar.starts(asker=STRANGER, **ask)


NIGHT = GroupHours((1, 2, 3, 4, 5, 6, 7), 22 * 60, 6 * 60, "certified", "x")
FRIDAY = datetime(2026, 3, 6, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


def codes(rule, asker, hour, hours=1):
    calendar = calendar_of(ZoneInfo("Asia/Shanghai"), date(2026, 3, 6), [rule])
    start = FRIDAY + timedelta(hours=hour)
    wish = Wish(Period(start, start + timedelta(hours=hours)), asker)
    return [(r.code, dict(r.numbers)) for r in calendar.check(wish, FRIDAY - DAY)]


TOLD = [("hours-for-certified", {"opens": "22:00", "closes": "06:00"})]


@pytest.mark.parametrize(
    ("hour", "hours", "told"),
    [(21, 1, []), (21, 2, TOLD), (23, 2, TOLD), (5, 1, TOLD), (6, 2, []), (4, 3, TOLD)],
)
def test_a_night_has_its_edges(hour, hours, told):
    assert codes(NIGHT, STRANGER, hour, hours) == told


def test_a_certificate_must_hold_through_the_whole_booking():
    start = FRIDAY + timedelta(hours=22)
    holds = Asker(certified=(("x", (Period(start, start + timedelta(hours=2)),)),))
    assert codes(NIGHT, holds, 22, 2) == []
    assert codes(NIGHT, holds, 22, 3) == TOLD
    other = Asker(certified=(("y", (Period(start - DAY, start + DAY),)),))
    assert codes(NIGHT, other, 22, 2) == TOLD


@pytest.mark.parametrize(
    ("who", "asker", "passes"),
    [
        ("organisation", Asker("internal"), True),
        ("organisation", Asker("regional", is_same_region=True), False),
        ("region", Asker("regional", is_same_region=True), True),
        ("region", Asker("industry", is_same_region=True), True),
        ("region", Asker("partner"), False),
    ],
)
def test_the_hosts_own_and_its_region(who, asker, passes):
    assert (codes(replace(NIGHT, who=who), asker, 23) == []) is passes


def test_the_nearest_time_is_outside_them():
    calendar = calendar_of(ZoneInfo("Asia/Shanghai"), date(2026, 3, 6), [NIGHT])
    start = FRIDAY + timedelta(hours=22)
    wish = Wish(Period(start, start + timedelta(hours=1)), STRANGER)
    (refusal,) = calendar.explain(wish, FRIDAY - DAY)
    assert refusal.nearest == Period(start - timedelta(hours=1), start)
