"""The availability engine against the worked cases, and against itself."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.availability.domain.availability import Asker, Block, Calendar, Wish
from bookings.availability.domain.kept_hours import Kept, Promises
from bookings.availability.domain.quotas import CODES, Booked
from bookings.record.domain.periods import Period, subtract, total_minutes, union
from bookings.record.domain.refusals import OVERRIDABLE, Way
from instruments.opening.domain import opening
from instruments.policy.domain import policies
from instruments.reading.domain.clock import local_date

CASES = json.loads((Path(__file__).parents[3] / "cases/availability.json").read_text("utf-8"))
DAY = timedelta(days=1)


def instant(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def said(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def calendar_of(case):
    instrument = case["instrument"]
    zone = ZoneInfo(instrument["timezone"])
    hours = opening.parse_hours(instrument["opening_hours"])
    within = Period(instant(case["from"]), instant(case["until"]))
    holidays = frozenset(date.fromisoformat(d) for d in instrument.get("public_holidays", []))
    return within, Calendar(
        windows=opening.windows(
            hours, zone, holidays, local_date(zone, within.start) - DAY, local_date(zone, within.end) + DAY
        ),
        policy=policies.parse_policy(instrument["policy"]),
        blocks=[Block(Period(instant(b["start"]), instant(b["end"])), 1, b["kind"]) for b in case["blocked"]],
    )


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: c["name"])
def test_worked_case(case):
    within, calendar = calendar_of(case)
    starts = calendar.starts(
        minutes=case["minutes"], asker=Asker(case["price_group"]), within=within, now=instant(case["now"])
    )
    assert [said(s) for s in starts] == case["expected"]["starts"]
    assert [{"start": said(p.start), "end": said(p.end)} for p in calendar.opened(within)] == case[
        "expected"
    ]["open"]


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: c["name"])
def test_what_is_offered_is_accepted_and_all_else_refused(case):
    """Every minute of the case's span is asked for: `check` agrees with `starts`."""
    within, calendar = calendar_of(case)
    now, length = instant(case["now"]), timedelta(minutes=case["minutes"])
    offered = set(
        calendar.starts(minutes=case["minutes"], asker=Asker(case["price_group"]), within=within, now=now)
    )
    assert offered
    moment = within.start
    while moment + length <= within.end:
        wish = Wish(Period(moment, moment + length), Asker(case["price_group"]))
        assert (moment in offered) == (calendar.check(wish, now) == ())
        moment += timedelta(minutes=15)


ZONES = ["Asia/Shanghai", "America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca"]
ANY_ZONE = sorted(name for name in available_timezones() if "/" in name)
QUARTER = timedelta(minutes=15)
OVERRIDING = st.frozensets(st.sampled_from(OVERRIDABLE))


@cache
def clock_changes(name):
    """The local days of 2025 that have not 24 hours."""
    zone, first = ZoneInfo(name), date(2025, 1, 1)
    days = [first + n * DAY for n in range(365)]
    edges = [datetime.combine(day, time(), tzinfo=zone).timestamp() for day in [*days, days[-1] + DAY]]
    return [d for d, (a, b) in zip(days, pairwise(edges), strict=True) if b - a != 86400]


def spans(draw, origin, most, quarters):
    """Disjoint periods on the quarters of an hour, in order."""
    edges = sorted(draw(st.lists(st.integers(0, quarters), max_size=2 * most, unique=True)))
    return [
        Period(origin + QUARTER * a, origin + QUARTER * b)
        for a, b in zip(edges[::2], edges[1::2], strict=False)
    ]


def quotas():
    limits = {"hours": st.integers(0, 160).map(lambda n: Decimal(n) / 2), "bookings": st.integers(0, 9)}
    return st.sampled_from(policies.MEASURES).flatmap(
        lambda unit: st.builds(
            policies.Quota,
            st.sampled_from(policies.SCOPES),
            st.just(unit),
            st.sampled_from(policies.SPANS),
            limits[unit].map(Decimal),
            st.sampled_from([None, "internal", "external"]),
        )
    )


ALWAYS = [(day, 0, 48) for day in range(1, 8)]
WEEKLY = st.lists(
    st.tuples(st.integers(1, 7), st.integers(0, 40), st.integers(1, 47)),
    min_size=2,
    max_size=7,
    unique_by=lambda r: r[0],
)


NIGHTS = [
    (policies.GroupHours((1, 2, 3, 4, 5, 6, 7), 22 * 60, 6 * 60, who, "x"),) for who in policies.GROUPS
] + [(policies.GroupHours((2, 5), 90, 1440, "certified", "x"), policies.GroupHours((7,), 0, 150, "region"))]


def mostly(usual, *others):
    """The usual in two cases of three, so that most worlds have something to offer."""
    return st.one_of(st.just(usual), st.just(usual), st.sampled_from(others))


@dataclass(frozen=True)
class World:
    """An instrument, who asks for it, and when; `within` is what its calendar knows."""

    calendar: Calendar
    within: Period
    asker: Asker
    now: datetime


def booked(draw, origin):
    rows = []
    for period in spans(draw, origin - 6 * DAY, 8, 14 * 96):
        user = draw(st.sampled_from(["ann", "bob"]))
        rows.append(
            Booked(
                period,
                user,
                {"ann": "here", "bob": "there"}[user],
                draw(st.sampled_from(["internal", "external"])),
                draw(st.booleans()),
                draw(st.booleans()),
            )
        )
    return rows


@st.composite
def promises(draw, origin, offered, blocks, policy):
    """Hours guaranteed for holders around the days that are asked for."""
    kept = [
        Kept(
            draw(st.sampled_from(["here", "there", "else"])),
            draw(st.integers(1, 4)) * 240,
            period,
            draw(mostly(0, 1440)),
            id=n,
        )
        for n, period in enumerate(spans(draw, origin - DAY, 3, 6 * 96))
    ]
    return Promises(
        kept,
        opened=[Period(w.opens_at, w.closes_at) for w in opening.merged(offered)],
        taken=[(block.unit, block.period) for block in blocks],
        policy=policy,
    )


@st.composite
def worlds(draw):
    """Any zone around a clock change, weekly rules that may abut, blocks per unit, and a policy
    with every limit there is; now lies before, in or after the days that are asked for."""
    name = draw(st.sampled_from(ZONES) | st.sampled_from(ANY_ZONE))
    zone = ZoneInfo(name)
    first = draw(st.sampled_from(clock_changes(name) or [date(2025, 3, 6)])) - 2 * DAY
    rules = tuple(
        opening.WeeklyRule(weekday, opens * 30, min(1440, (opens + length) * 30))
        for weekday, opens, length in draw(st.just(ALWAYS) | WEEKLY | WEEKLY)
    )
    slot = draw(st.sampled_from([15, 30, 45, 60]))
    units = draw(st.integers(1, 3))
    shortest = slot * draw(mostly(1, 2, 3))
    policy = policies.Policy(
        slot_minutes=slot,
        min_minutes=shortest,
        max_minutes=shortest + slot * draw(st.integers(3, 9)),
        setup_minutes=draw(st.sampled_from([0, 10, 30])),
        teardown_minutes=draw(st.sampled_from([0, 20])),
        notice_minutes=draw(mostly(0, 600)),
        horizon_days=draw(mostly({}, {"internal": 2}, {"external": 0})),
        units=units,
        quotas=tuple(draw(st.lists(quotas(), max_size=2))),
        cross_region_share=draw(
            mostly(None, *(policies.Share(percent, until) for percent in (0, 50, 90) for until in (0, 1440)))
        ),
        group_hours=draw(mostly((), *NIGHTS)),
    )
    origin = datetime.combine(first, time(), tzinfo=zone).astimezone(UTC)
    blocks = [
        Block(period, unit, draw(st.sampled_from(["reservation", "closure"])))
        for unit in range(1, units + 1)
        for period in spans(draw, origin, 4, 4 * 96)
    ]
    offered = opening.windows(
        opening.OpeningHours(rules), zone, frozenset(), first - 9 * DAY, first + 13 * DAY
    )
    calendar = Calendar(
        windows=offered,
        policy=policy,
        blocks=blocks,
        zone=zone,
        booked=booked(draw, origin),
        promises=draw(st.none() | promises(origin, offered, blocks, policy)),
    )
    asker = Asker(
        draw(st.sampled_from(["internal", "external"])),
        is_served=draw(mostly(True, True, True, False)),
        user=draw(st.sampled_from(["ann", "bob", None])),
        organisation=draw(st.sampled_from(["here", "there", None])),
        is_same_region=draw(st.booleans()),
        qualified=draw(mostly(None, (), *((period,) for period in spans(draw, origin, 2, 384)))),
        certified=draw(mostly((), (), *((("x", (period,)),) for period in spans(draw, origin, 2, 384)))),
    )
    now = origin + QUARTER * draw(mostly(0, *range(-96, 2 * 96)))
    return World(calendar, Period(origin, origin + 4 * DAY), asker, now)


def wishes(world, minutes, step=QUARTER, **more):
    """A wish at every quarter of an hour, on the grid or not."""
    moment, length = world.within.start, timedelta(minutes=minutes)
    while moment + length <= world.within.end:
        yield Wish(Period(moment, moment + length), world.asker, **more)
        moment += step


@given(worlds(), st.integers(1, 5))
def test_starts_and_check_agree(world, slots):
    """Every offered start is accepted and every other refused with a reason."""
    minutes = slots * world.calendar.policy.slot_minutes
    offered = world.calendar.starts(minutes=minutes, asker=world.asker, within=world.within, now=world.now)
    assert offered == sorted(set(offered))
    for start in offered:
        wish = Wish(Period(start, start + timedelta(minutes=minutes)), world.asker)
        assert world.calendar.check(wish, world.now) == ()
    for wish in wishes(world, minutes):
        refusals = world.calendar.check(wish, world.now)
        assert (wish.period.start in offered) == (not refusals)


@given(worlds(), st.integers(1, 5), st.integers(0, 3), st.booleans(), OVERRIDING)
def test_the_nearest_always_passes(world, slots, offset, keeps_start, waived):
    minutes = slots * world.calendar.policy.slot_minutes
    some = timedelta(hours=17)
    for wish in wishes(world, minutes, some, keeps_start=keeps_start, waived=waived):
        wish = replace(
            wish, period=Period(wish.period.start + offset * QUARTER, wish.period.end + offset * QUARTER)
        )
        found = world.calendar.check(wish, world.now)
        explained = world.calendar.explain(wish, world.now)
        assert [r.code for r in explained] == [r.code for r in found]
        for nearest in {r.nearest for r in explained if r.nearest}:
            assert world.calendar.check(replace(wish, period=nearest), world.now) == ()
            if keeps_start:
                assert nearest.start == wish.period.start


@given(worlds(), st.integers(1, 5), OVERRIDING)
def test_what_is_waived_is_left_out_and_nothing_else(world, slots, waived):
    minutes = slots * world.calendar.policy.slot_minutes
    for wish in wishes(world, minutes, timedelta(hours=5)):
        bound = world.calendar.refusing(wish, world.now)
        assert bound == world.calendar.check(wish, world.now)
        free = replace(wish, waived=waived)
        assert world.calendar.refusing(free, world.now) == bound
        assert world.calendar.check(free, world.now) == tuple(r for r in bound if r.code not in waived)


LIMITED = {*CODES.values(), "kept-for-other-regions", "kept-for-holder"}
FOR_GROUPS = {f"hours-for-{who}" for who in policies.GROUPS}  # test_group_hours.py
LIMITS = ["too-soon", "too-far", *sorted(LIMITED | FOR_GROUPS)]


@given(worlds(), st.integers(1, 5), st.frozensets(st.sampled_from(LIMITS)))
def test_starts_are_offered_by_what_is_not_waived(world, slots, waived):
    minutes = slots * world.calendar.policy.slot_minutes
    offered = world.calendar.starts(
        minutes=minutes, asker=world.asker, within=world.within, now=world.now, waived=waived
    )
    for wish in wishes(world, minutes, timedelta(minutes=45), waived=waived):
        assert (wish.period.start in offered) == (not world.calendar.check(wish, world.now))


@given(worlds())
def test_free_and_busy_partition_the_opening_hours(world):
    calendar, within = world.calendar, world.within
    opened, free = calendar.opened(within), calendar.free(within)
    busy = union(p for p, _ in calendar.busy(within))
    assert union([*free, *subtract(opened, free)]) == opened
    assert subtract(free, busy) == free
    assert total_minutes(free) + total_minutes(subtract(opened, free)) == total_minutes(opened)
    units = range(1, calendar.policy.units + 1)
    instant_long = timedelta(microseconds=1)
    for period in free:
        first = Period(period.start, period.start + instant_long)
        assert any(not calendar.met_on(unit, first) for unit in units)
    for period in busy:
        assert all(calendar.met_on(unit, period) for unit in units)


def by_the_page(world, wish):
    """The rules one by one, in the plainest words, without the engine's search; limits apart
    (test_quotas.py)."""
    calendar, asker, policy, period = world.calendar, wish.asker, world.calendar.policy, wish.period
    minutes = period.length / timedelta(minutes=1)
    lead = (period.start - world.now) / timedelta(minutes=1)
    around = [w for w in calendar.windows if w.opens_at <= period.start < w.closes_at]
    open_until = period.start
    while further := [w.closes_at for w in calendar.windows if w.opens_at <= open_until < w.closes_at]:
        open_until = max(further)
    span = calendar.blocked_span(period)
    kinds = {unit: set() for unit in range(1, policy.units + 1)}
    for block in calendar.blocks:
        if block.period.start < span.end and span.start < block.period.end:
            kinds[block.unit].add(block.kind)
    begun = [s for s in asker.qualified or () if s.start <= period.start]
    is_certified = asker.qualified is None or any(period.end <= s.end for s in begun)
    is_taken, is_closed = all(kinds.values()), all("closure" in k for k in kinds.values())
    return {
        "not-published": not calendar.is_published,
        "audience-not-served": not asker.is_served,
        "qualification-missing": not is_certified and not begun,
        "qualification-expires": not is_certified and bool(begun),
        "too-soon": lead < policy.notice_minutes,
        "too-far": lead > policy.horizon_days.get(asker.price_group, 60) * 1440,
        "off-grid": bool(minutes % policy.slot_minutes)
        or (
            bool(around)
            and all((period.start - w.opens_at).total_seconds() / 60 % policy.slot_minutes for w in around)
        ),
        "too-short": minutes < policy.min_minutes,
        "too-long": minutes > policy.max_minutes,
        "outside-opening-hours": open_until < period.end,
        "instrument-closed": is_closed,
        "slot-taken": is_taken and (not is_closed or any("reservation" in k for k in kinds.values())),
    }


@given(worlds(), st.integers(1, 5), st.sampled_from([0, 0, 5]))
def test_every_rule_as_the_page_has_it(world, slots, more):
    minutes = slots * world.calendar.policy.slot_minutes + more
    for wish in wishes(world, minutes, timedelta(minutes=75)):
        expected = {code for code, refuses in by_the_page(world, wish).items() if refuses}
        found = {r.code for r in world.calendar.check(wish, world.now)} - LIMITED - FOR_GROUPS
        assert found == expected
        if not expected & {"slot-taken", "instrument-closed"}:
            span = world.calendar.blocked_span(wish.period)
            unit = world.calendar.free_unit(wish.period)
            taken = {b.unit for b in world.calendar.blocks if b.period.meets(span)}
            assert unit == min(set(range(1, world.calendar.policy.units + 1)) - taken)


def refused(calendar, start, minutes, now, **wish):
    period = Period(start, start + timedelta(minutes=minutes))
    asker = Asker(wish.pop("price_group", "internal"), **wish)
    return calendar.explain(Wish(period, asker), now)


@pytest.fixture
def monday():
    """Open Monday 09:00 to 17:00 in London winter, one unit, hourly, 2 to 4 hours."""
    zone = ZoneInfo("Europe/London")
    day = date(2026, 1, 5)
    return Calendar(
        windows=opening.windows(
            opening.OpeningHours((opening.WeeklyRule(1, 540, 1020),)),
            zone,
            frozenset(),
            day - DAY,
            day + 15 * DAY,
        ),
        policy=policies.Policy(
            slot_minutes=60,
            min_minutes=120,
            max_minutes=240,
            notice_minutes=60,
            horizon_days={"internal": 10},
        ),
        blocks=[
            Block(Period(instant("2026-01-05T11:00Z"), instant("2026-01-05T12:00Z"))),
            Block(Period(instant("2026-01-05T12:00Z"), instant("2026-01-05T13:00Z")), 1, "closure"),
        ],
    )


NOW = instant("2026-01-05T06:00Z")


@pytest.mark.parametrize(
    ("start", "minutes", "codes"),
    [
        ("2026-01-05T09:00Z", 120, []),
        ("2026-01-05T09:30Z", 120, ["off-grid", "slot-taken"]),
        ("2026-01-05T09:00Z", 60, ["too-short"]),
        ("2026-01-05T13:00Z", 300, ["too-long", "outside-opening-hours"]),
        ("2026-01-05T16:00Z", 120, ["outside-opening-hours"]),
        ("2026-01-05T10:00Z", 120, ["slot-taken"]),
        ("2026-01-05T12:00Z", 120, ["instrument-closed"]),
        ("2026-01-05T11:00Z", 120, ["instrument-closed", "slot-taken"]),
        ("2026-01-05T13:00Z", 120, []),
        ("2026-01-19T09:00Z", 120, ["too-far"]),
        ("2026-01-05T06:30Z", 120, ["too-soon", "outside-opening-hours"]),
    ],
)
def test_every_rule_that_refuses_is_named(monday, start, minutes, codes):
    assert [r.code for r in refused(monday, instant(start), minutes, NOW)] == codes


def test_notice_and_horizon_are_inclusive(monday):
    start = instant("2026-01-05T13:00Z")
    assert refused(monday, start, 120, start - timedelta(minutes=60)) == ()
    late = refused(monday, start, 120, start - timedelta(minutes=60) + timedelta(microseconds=1))
    assert [r.code for r in late] == ["too-soon"]
    assert refused(monday, start, 120, start - 10 * DAY) == ()
    early = refused(monday, start, 120, start - 10 * DAY - timedelta(microseconds=1))
    (far,) = early
    assert (far.code, dict(far.numbers)["latest"]) == ("too-far", "2026-01-05")


def test_the_nearest_change_that_passes(monday):
    (refusal,) = refused(monday, instant("2026-01-05T10:00Z"), 120, NOW)
    assert refusal.nearest == Period(instant("2026-01-05T09:00Z"), instant("2026-01-05T11:00Z"))
    (short,) = refused(monday, instant("2026-01-05T13:00Z"), 60, NOW)
    assert short.nearest == Period(instant("2026-01-05T13:00Z"), instant("2026-01-05T15:00Z"))


def test_a_certificate_must_hold_through_the_whole_period(monday):
    start, end = instant("2026-01-05T13:00Z"), instant("2026-01-05T15:00Z")

    def asked(*spans):
        found = refused(monday, start, 120, NOW, qualified=spans)
        return [(r.code, dict(r.numbers)) for r in found]

    hour = timedelta(hours=1)
    assert refused(monday, start, 120, NOW, qualified=None) == ()
    assert asked(Period(start, end)) == []
    assert asked(Period(start - hour, start), Period(start, end)) == []
    assert asked() == [("qualification-missing", {})]
    assert asked(Period(start - 2 * hour, start - hour), Period(NOW, start)) == [
        ("qualification-expires", {"until": "2026-01-05T13:00:00+00:00"})
    ]
    assert asked(Period(start + hour, end)) == [("qualification-missing", {})]
    assert asked(Period(start - hour, end - hour)) == [
        ("qualification-expires", {"until": "2026-01-05T14:00:00+00:00"})
    ]
    (expires,) = refused(monday, start, 120, NOW, qualified=(Period(NOW, end - hour),))
    assert expires.nearest == Period(instant("2026-01-05T09:00Z"), instant("2026-01-05T11:00Z"))


def test_without_a_certificate_the_ways_that_need_none_are_named(monday):
    missing = {"qualified": (), "guided": ("assisted", "entrusted")}
    wished = Period(instant("2026-01-05T13:00Z"), instant("2026-01-05T15:00Z"))
    (refusal,) = refused(monday, wished.start, 120, NOW, **missing)
    assert refusal.ways == (Way("assisted", wished), Way("entrusted", wished))
    # Where the time itself is refused, too, at the nearest time that is not.
    certificate, taken = refused(monday, instant("2026-01-05T10:00Z"), 120, NOW, **missing)
    nearest = Period(instant("2026-01-05T09:00Z"), instant("2026-01-05T11:00Z"))
    assert [way.period for way in certificate.ways] == [nearest] * 2 and taken.ways == ()
    # No way of working helps who is not served, or who needs no certificate.
    assert not any(r.ways for r in refused(monday, wished.start, 120, NOW, is_served=False, **missing))
    (taken,) = refused(monday, instant("2026-01-05T10:00Z"), 120, NOW)
    assert taken.ways == ()


def test_a_group_without_a_rate_and_an_unpublished_instrument(monday):
    (refusal,) = refused(monday, instant("2026-01-05T09:00Z"), 120, NOW, is_served=False)
    assert (refusal.code, refusal.nearest) == ("audience-not-served", None)
    hidden = Calendar(windows=monday.windows, policy=monday.policy, blocks=monday.blocks, is_published=False)
    (refusal,) = refused(hidden, instant("2026-01-05T09:00Z"), 120, NOW)
    assert refusal.code == "not-published"


def test_with_two_units_the_lowest_free_one_is_taken(monday):
    two = Calendar(
        windows=monday.windows,
        policy=policies.Policy(slot_minutes=60, min_minutes=60, units=2),
        blocks=monday.blocks,
    )
    nine = instant("2026-01-05T09:00Z")
    assert two.free_unit(Period(nine, nine + timedelta(hours=2))) == 1
    assert two.free_unit(Period(nine, nine + timedelta(hours=3))) == 2
    assert two.busy(Period(nine, nine + timedelta(hours=8))) == []


def test_hours_read_back_as_they_were_written():
    for case in CASES["cases"]:
        hours = opening.parse_hours(case["instrument"]["opening_hours"])
        assert opening.parse_hours(opening.hours_to_json(hours)) == hours
