"""Quotas and the share kept for other regions, against a count of one minute after the other."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.availability.domain.availability import Asker, Block, Calendar, Wish
from bookings.availability.domain.quotas import CODES, Booked, counted_span, local_spans
from bookings.record.domain.periods import Period
from instruments.opening.domain.opening import OpeningHours, WeeklyRule, windows
from instruments.policy.domain.policies import MEASURES, SCOPES, SPANS, Policy, Quota, Share

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
KEPT = "kept-for-other-regions"
COUNTING = {*CODES.values(), KEPT}

# Days around which weeks and months begin while clocks change.
PLACES = {
    "Asia/Shanghai": [date(2026, 2, 28), date(2026, 3, 1), date(2025, 12, 31)],
    "America/Chicago": [date(2025, 3, 9), date(2025, 11, 2), date(2025, 10, 31)],
    "Australia/Lord_Howe": [date(2025, 10, 5), date(2025, 4, 6), date(2025, 3, 31)],
    "Africa/Casablanca": [date(2025, 2, 23), date(2025, 4, 6)],
    "America/Havana": [date(2025, 3, 9), date(2025, 11, 2)],  # midnight does not exist, or twice
    "Asia/Beirut": [date(2025, 3, 30), date(2025, 10, 26)],
    "Asia/Kathmandu": [date(2025, 6, 30)],
    "Antarctica/Troll": [date(2025, 3, 30), date(2025, 10, 26)],
}


# The oracle: every minute says which day, week and month it lies in


def minutes_of(period):
    moment = period.start
    while moment < period.end:
        yield moment
        moment += MINUTE


def name_of(per, zone, moment):
    local = moment.astimezone(zone)
    return {"day": local.date(), "week": local.isocalendar()[:2], "month": (local.year, local.month)}[per]


def pieces(per, zone, period, now):
    """Minutes by day, week or month, as a clock on the wall would count them."""
    if per == "upcoming":
        return Counter({"upcoming": period.minutes} if period.end > now else {})
    return Counter(name_of(per, zone, moment) for moment in minutes_of(period))


def counts(quota, row, asker):
    mine = {
        "user": row.user == asker.user,
        "organisation": row.organisation == asker.organisation,
        "price_group": row.price_group == asker.price_group,
    }
    return mine[quota.scope] and quota.price_group in (None, row.price_group)


def totals(quota, zone, rows, asker, period, now):
    """What each day, week or month that the wish touches would come to, with it."""
    wish = pieces(quota.per, zone, period, now)
    if quota.price_group not in (None, asker.price_group):
        return {}
    sums = Counter({name: 1 if quota.unit == "bookings" else n for name, n in wish.items()})
    for row in rows:
        if counts(quota, row, asker):
            for name, n in pieces(quota.per, zone, row.period, now).items():
                if name in wish:
                    sums[name] += 1 if quota.unit == "bookings" else n
    return dict(sums)


def is_over(quota, total):
    return total > quota.limit * (60 if quota.unit == "hours" else 1)


def share_of(world, period):
    """(minutes of neighbours with the wish, unit-minutes on offer) of each week it touches."""
    zone, calendar = world.zone, world.calendar
    wish = pieces("week", zone, period, world.now)
    taken = Counter(wish)
    for row in world.rows:
        if row.is_same_region and not row.is_missed:
            taken.update(pieces("week", zone, row.period, world.now))
    offered = Counter()
    for window in calendar.windows:
        for moment in minutes_of(Period(window.opens_at, window.closes_at)):
            week = name_of("week", zone, moment)
            if week in wish:
                offered[week] += sum(
                    not any(
                        b.unit == unit and b.kind == "closure" and b.period.start <= moment < b.period.end
                        for b in calendar.blocks
                    )
                    for unit in range(1, calendar.policy.units + 1)
                )
    return [(taken[week], offered[week]) for week in wish]


# Random worlds


@dataclass(frozen=True)
class World:
    zone: ZoneInfo
    noon: datetime
    now: datetime
    rows: tuple[Booked, ...]
    calendar: Calendar
    asker: Asker
    period: Period

    def refusing(self, period=None, **policy):
        calendar = Calendar(
            windows=self.calendar.windows,
            policy=replace(self.calendar.policy, **policy),
            blocks=self.calendar.blocks,
            zone=self.zone,
            booked=self.rows,
        )
        wish = Wish(period or self.period, self.asker)
        return [r for r in calendar.refusing(wish, self.now) if r.code in COUNTING]


def periods(around, most_days):
    return st.builds(
        lambda start, length: Period(around + start * MINUTE, around + start * MINUTE + length * MINUTE),
        st.integers(-1440 * most_days, 1440 * most_days),
        st.integers(1, 600) | st.integers(1, 4320),
    )


@st.composite
def worlds(draw):
    name = draw(st.sampled_from(sorted(PLACES)))
    zone, day = ZoneInfo(name), draw(st.sampled_from(PLACES[name]))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)
    who = {"ann": "here", "bob": "here", "eve": "there"}
    rows = []
    for period in draw(st.lists(periods(noon, 9), max_size=8)):
        user = draw(st.sampled_from(sorted(who)))
        rows.append(
            Booked(
                period,
                user,
                who[user],
                draw(st.sampled_from(["internal", "external"])),
                draw(st.booleans()),
                draw(st.booleans()),
            )
        )
    rules = draw(
        st.lists(
            st.builds(
                WeeklyRule,
                st.integers(1, 7),
                st.integers(0, 95).map(lambda n: n * 15),
                st.integers(1, 96).map(lambda n: n * 15),
            ),
            max_size=4,
            unique_by=lambda rule: rule.weekday,
        )
    )
    rules = [r for r in rules if r.opens < r.closes]
    units = draw(st.integers(1, 2))
    blocks = [
        Block(Period(noon + n * DAY, noon + n * DAY + timedelta(hours=length)), unit, kind)
        for unit in range(1, units + 1)
        for n, length, kind in draw(
            st.lists(
                st.tuples(st.integers(-6, 6), st.integers(1, 24), st.sampled_from(["closure", "other"])),
                max_size=3,
                unique_by=lambda block: block[0],
            )
        )
    ]
    return World(
        zone=zone,
        noon=noon,
        now=noon + draw(st.integers(-2000, 2000)) * MINUTE,
        rows=tuple(rows),
        calendar=Calendar(
            windows=windows(OpeningHours(tuple(rules)), zone, frozenset(), day - 16 * DAY, day + 16 * DAY),
            policy=Policy(units=units, max_minutes=44640, min_minutes=1, slot_minutes=1),
            blocks=blocks,
        ),
        asker=Asker(
            draw(st.sampled_from(["internal", "external"])),
            user=(user := draw(st.sampled_from(sorted(who)))),
            organisation=who[user],
            is_same_region=draw(st.booleans()),
        ),
        period=draw(periods(noon, 3)),
    )


@st.composite
def quotas(draw):
    unit = draw(st.sampled_from(MEASURES))
    limit = (
        Decimal(draw(st.integers(0, 6))) if unit == "bookings" else Decimal(draw(st.integers(0, 6000))) / 100
    )
    group = draw(st.sampled_from([None, None, "internal", "external"]))
    return Quota(draw(st.sampled_from(SCOPES)), unit, draw(st.sampled_from(SPANS)), limit, group)


@given(worlds(), st.lists(quotas(), max_size=4))
def test_refused_exactly_where_the_count_is_over(world, limits):
    expected = []
    for quota in limits:
        sums = totals(quota, world.zone, world.rows, world.asker, world.period, world.now)
        if any(is_over(quota, total) for total in sums.values()):
            expected.append(CODES[quota.scope])
    assert [r.code for r in world.refusing(quotas=tuple(limits))] == expected


@given(worlds(), quotas())
def test_equal_passes_and_a_hair_more_is_refused(world, quota):
    """The limit is set to the very sum: passes; one below it: refused, and the numbers say it."""
    sums = totals(quota, world.zone, world.rows, world.asker, world.period, world.now)
    if not sums:
        assert world.refusing(quotas=(replace(quota, limit=Decimal(0)),)) == []
        return
    most = max(sums.values())
    if quota.unit == "bookings":
        equal, less = Decimal(most), Decimal(most - 1)
    else:  # minutes as hours, exact to the microsecond
        equal, less = Decimal(most) / 60, Decimal(most - 1) / 60
        equal = equal.quantize(Decimal("1e-12")) + Decimal("1e-10")
    assert world.refusing(quotas=(replace(quota, limit=equal),)) == []
    (refusal,) = world.refusing(quotas=(replace(quota, limit=less),))
    assert refusal.code == CODES[quota.scope]
    said = {n if quota.unit == "bookings" else round(n / 60, 2) for n in sums.values()}
    assert float(refusal.numbers["total"]) in said


@given(worlds(), quotas().filter(lambda q: q.unit == "hours"))
def test_one_minute_longer_is_refused(world, quota):
    """At the limit the same wish with one minute more at its end is over it, wherever the
    minute falls."""
    longer = Period(world.period.start, world.period.end + MINUTE)
    before = totals(quota, world.zone, world.rows, world.asker, world.period, world.now)
    after = totals(quota, world.zone, world.rows, world.asker, longer, world.now)
    for name in after:
        if after[name] != max(after.values()) or before.get(name, 0) == after[name]:
            continue
        limit = Decimal(after[name] - 1) / 60 + Decimal("1e-10")
        if all(total <= after[name] - 1 for total in before.values()):
            assert world.refusing(quotas=(replace(quota, limit=limit),)) == []
        assert len(world.refusing(longer, quotas=(replace(quota, limit=limit),))) == 1


@given(worlds(), st.integers(0, 100), st.integers(0, 4000))
def test_the_share_is_kept_to_the_minute(world, percent, released):
    """At a percentage drawn, and at the last that passes with the first that does not."""
    weeks = share_of(world, world.period)
    is_bound = world.asker.is_same_region and world.period.start - world.now > released * MINUTE
    last = min((100 * (offered - taken) // offered if offered else -1) for taken, offered in weeks)
    for tried in {percent, last, last + 1}:
        if not 0 <= tried <= 100:
            continue
        over = any(taken * 100 > offered * (100 - tried) for taken, offered in weeks)
        refused = world.refusing(cross_region_share=Share(tried, released))
        assert [r.code for r in refused] == ([KEPT] if over and is_bound else [])


@given(worlds())
def test_spans_are_those_a_clock_on_the_wall_would_name(world):
    for per in ("day", "week", "month"):
        spans = list(local_spans(per, world.zone, world.period))
        named = Counter(name_of(per, world.zone, moment) for moment in minutes_of(world.period))
        assert len(spans) == len(named)
        for span in spans:
            name = name_of(per, world.zone, span.start)
            assert name in named
            assert name_of(per, world.zone, span.end - MINUTE) == name
            assert name_of(per, world.zone, span.start - MINUTE) != name
            assert name_of(per, world.zone, span.end) != name


@given(worlds(), st.lists(quotas(), max_size=3), st.none() | st.just(Share(50)))
def test_only_what_is_loaded_counts(world, limits, share):
    """Bookings outside the span that is loaded for a wish change nothing."""
    span = counted_span(limits, share, world.zone, world.period)
    if span is None:
        assert not limits
        assert share is None
        return
    upcoming = any(quota.per == "upcoming" for quota in limits)
    known = tuple(
        row for row in world.rows if row.period.meets(span) or (upcoming and row.period.end > world.now)
    )
    narrow = replace(world, rows=known)
    rules = {"quotas": tuple(limits), "cross_region_share": share}
    assert narrow.refusing(**rules) == world.refusing(**rules)


# By hand


def at(text, zone):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def span(start, end, zone="America/Chicago"):
    return Period(at(start, zone), at(end, zone))


def refused(quota, period, *others, zone="America/Chicago", now=None):
    calendar = Calendar(
        windows=[],
        policy=Policy(quotas=(quota,)),
        blocks=[],
        zone=ZoneInfo(zone),
        booked=[Booked(other, "ann", "here", "internal", True) for other in others],
    )
    asker = Asker("internal", user="ann", organisation="here")
    moment = now or period.start - 20 * DAY
    return [
        (r.numbers["used"], r.numbers["total"], r.numbers["limit"])
        for r in calendar.refusing(Wish(period, asker), moment)
        if r.code == "user-quota"
    ]


def hours(limit, per="day"):
    return Quota("user", "hours", per, Decimal(limit))


def bookings(limit, per="day"):
    return Quota("user", "bookings", per, Decimal(limit))


class TestByHand:
    def test_a_day_without_an_hour_has_23(self):
        day = span("2025-03-09T00:00", "2025-03-10T00:00")
        assert refused(hours(23), day) == []
        assert refused(hours("22.99"), day) == [("0", "23", "22.99")]

    def test_a_day_with_an_hour_twice_has_25(self):
        day = span("2025-11-02T00:00", "2025-11-03T00:00")
        assert refused(hours(25), day) == []
        assert refused(hours("24.5"), day) == [("0", "25", "24.5")]

    def test_a_night_is_cut_at_midnight(self):
        night = span("2026-01-14T22:00", "2026-01-15T01:30")
        assert refused(hours(2), night) == []
        assert refused(hours("1.5"), night) == [("0", "2", "1.5")]
        later = span("2026-01-15T09:00", "2026-01-15T10:00")
        assert refused(hours("2.5"), night, later) == []
        assert refused(hours("2.25"), night, later) == [("1", "2.5", "2.25")]

    def test_each_piece_of_a_night_is_a_booking_of_its_day(self):
        night = span("2026-01-14T22:00", "2026-01-15T01:30")
        later = span("2026-01-15T09:00", "2026-01-15T10:00")
        assert refused(bookings(2), night, later) == []
        assert refused(bookings(1), night, later) == [("1", "2", "1")]
        assert refused(bookings(1), later, night) == [("1", "2", "1")]
        until = span("2026-01-14T22:00", "2026-01-15T00:00")
        assert refused(bookings(1), until, later) == []

    def test_a_week_begins_on_monday(self):
        edge = span("2026-01-18T20:00", "2026-01-19T04:00")  # Sunday to Monday, 4 h each
        before, after = (
            span("2026-01-12T00:00", "2026-01-12T06:00"),
            span("2026-01-25T23:00", "2026-01-26T05:00"),  # 1 h of it
        )
        assert refused(hours(10, "week"), edge, before, after) == []
        assert refused(hours("9.99", "week"), edge, before, after) == [("6", "10", "9.99")]
        assert refused(hours(5, "week"), edge, after) == []
        assert refused(hours("4.99", "week"), edge, after) == [("1", "5", "4.99")]

    def test_a_week_in_which_the_clock_changes(self):
        whole = span("2025-03-03T00:00", "2025-03-10T00:00")
        assert refused(hours(167, "week"), whole) == []
        assert refused(hours("166.99", "week"), whole) == [("0", "167", "166.99")]

    def test_a_month_is_cut_too(self):
        edge = span("2026-02-28T12:00", "2026-03-01T06:00")
        march = span("2026-03-31T22:00", "2026-04-01T02:00")
        assert refused(hours(12, "month"), edge, march) == []
        assert refused(hours("11.5", "month"), edge, march) == [("0", "12", "11.5")]
        assert refused(bookings(1, "month"), edge, march) == [("1", "2", "1")]
        year = span("2025-12-31T18:00", "2026-01-01T06:00")
        assert refused(hours(12, "month"), year, span("2026-12-31T00:00", "2026-12-31T10:00")) == (
            refused(hours(12, "month"), year)
        )

    def test_what_is_to_come_ends_after_now(self):
        wish = span("2026-01-15T09:00", "2026-01-15T10:00")
        running = span("2026-01-14T09:00", "2026-01-14T12:00")
        now = at("2026-01-14T11:00", "America/Chicago")
        one = bookings(1, "upcoming")
        assert refused(one, wish, running, now=now) == [("1", "2", "1")]
        assert refused(one, wish, running, now=running.end - MINUTE) == [("1", "2", "1")]
        assert refused(one, wish, running, now=running.end) == []
        # in hours, the whole of it
        assert refused(hours(4, "upcoming"), wish, running, now=now) == []
        assert refused(hours("3.99", "upcoming"), wish, running, now=now) == [("3", "4", "3.99")]

    def test_none_at_all(self):
        wish = span("2026-01-15T09:00", "2026-01-15T09:01")
        assert refused(hours(0), wish) == [("0", "0.02", "0")]
        assert refused(bookings(0, "month"), wish) == [("0", "1", "0")]


def week_of(percent, released=0, *, closed=(), units=1, neighbours=(), missed=()):
    """Open Monday to Friday 09:00 to 17:00 in Chicago: 40 h a week and unit."""
    zone = ZoneInfo("America/Chicago")
    rules = tuple(WeeklyRule(day, 540, 1020) for day in range(1, 6))
    return Calendar(
        windows=windows(OpeningHours(rules), zone, frozenset(), date(2026, 1, 1), date(2026, 2, 1)),
        policy=Policy(units=units, cross_region_share=Share(percent, released)),
        blocks=[Block(period, 1, "closure") for period in closed],
        zone=zone,
        booked=[
            *(Booked(period, "bob", "here", "regional", True) for period in neighbours),
            *(Booked(period, "bob", "here", "regional", True, True) for period in missed),
            # a visitor's own does not count against the neighbours
            Booked(span("2026-01-13T09:00", "2026-01-13T17:00"), "eve", "there", "external", False),
        ],
    )


def kept(calendar, period, *, is_same_region=True, now=None):
    asker = Asker("regional", user="ann", organisation="here", is_same_region=is_same_region)
    found = calendar.refusing(Wish(period, asker), now or period.start - 10 * DAY)
    return [(r.numbers["used"], r.numbers["total"], r.numbers["limit"]) for r in found if r.code == KEPT]


class TestShareByHand:
    MONDAY = span("2026-01-12T09:00", "2026-01-12T17:00")
    THURSDAY = span("2026-01-15T09:00", "2026-01-15T17:00")
    FRIDAY = span("2026-01-16T09:00", "2026-01-16T17:00")

    def test_equal_passes(self):
        assert kept(week_of(60, neighbours=[self.MONDAY]), self.THURSDAY) == []
        assert kept(week_of(61, neighbours=[self.MONDAY]), self.THURSDAY) == [("8", "16", "15.6")]

    def test_visitors_are_not_bound(self):
        assert kept(week_of(100), self.THURSDAY, is_same_region=False) == []

    def test_what_was_missed_does_not_count(self):
        assert kept(week_of(80, missed=[self.MONDAY]), self.THURSDAY) == []

    def test_closed_time_is_not_on_offer(self):
        closed = [self.FRIDAY]  # 32 h left; 60 % of them are 19.2
        assert kept(week_of(50, closed=closed, neighbours=[self.MONDAY]), self.THURSDAY) == []
        assert kept(week_of(60, closed=closed, neighbours=[self.MONDAY]), self.THURSDAY) == [
            ("8", "16", "12.8")
        ]
        # what is booked is on offer all the same
        booked = week_of(60, neighbours=[self.MONDAY])
        booked = Calendar(
            windows=booked.windows,
            policy=booked.policy,
            blocks=[Block(self.FRIDAY)],
            zone=booked.zone,
            booked=booked.booked,
        )
        assert kept(booked, self.THURSDAY) == []
        # at night nothing was on offer
        night = [span("2026-01-16T17:00", "2026-01-19T09:00")]
        assert kept(week_of(60, closed=night, neighbours=[self.MONDAY]), self.THURSDAY) == []

    def test_every_unit_offers_its_time(self):
        assert kept(week_of(80, units=2, neighbours=[self.MONDAY]), self.THURSDAY) == []
        assert kept(week_of(81, units=2, neighbours=[self.MONDAY]), self.THURSDAY) == [("8", "16", "15.2")]
        # closed on one of two
        assert kept(week_of(80, units=2, closed=[self.FRIDAY], neighbours=[self.MONDAY]), self.THURSDAY) == [
            ("8", "16", "14.4")
        ]

    def test_released_shortly_before_it_starts(self):
        strict = week_of(100, 1440)
        start = self.THURSDAY.start
        assert kept(strict, self.THURSDAY, now=start - DAY) == []
        assert kept(strict, self.THURSDAY, now=start - DAY - timedelta(microseconds=1)) == [("0", "8", "0")]
        # what was exempt counts all the same
        assert kept(week_of(60, 1440, neighbours=[self.MONDAY, self.FRIDAY]), self.THURSDAY) == [
            ("16", "24", "16")
        ]

    def test_each_week_for_itself(self):
        over = span("2026-01-16T09:00", "2026-01-19T17:00")  # counts by the wall: 63 h and 17 h
        assert kept(week_of(0), over) == [("0", "63", "40")]


@pytest.mark.parametrize("per", ["day", "week", "month"])
def test_a_span_that_begins_where_the_period_ends_is_not_touched(per):
    zone = ZoneInfo("Asia/Shanghai")
    until = Period(at("2026-05-31T10:00", "Asia/Shanghai"), at("2026-06-01T00:00", "Asia/Shanghai"))
    assert len(list(local_spans(per, zone, until))) == 1
    beyond = Period(until.start, until.end + MINUTE)  # a Monday, and the first of the month
    assert len(list(local_spans(per, zone, beyond))) == 2
