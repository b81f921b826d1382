"""The availability engine against the worked cases, and against itself."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.domain.availability import Block, Calendar, Wish
from bookings.domain.periods import Period, subtract, total_minutes, union
from instruments.domain.opening import (
    OpeningHours,
    WeeklyRule,
    hours_to_json,
    local_date,
    parse_hours,
    windows,
)
from instruments.domain.policies import Policy, parse_policy

CASES = json.loads((Path(__file__).parents[2] / "cases/availability.json").read_text("utf-8"))
DAY = timedelta(days=1)


def instant(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def said(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def calendar_of(case):
    instrument = case["instrument"]
    zone = ZoneInfo(instrument["timezone"])
    hours = parse_hours(instrument["opening_hours"])
    within = Period(instant(case["from"]), instant(case["until"]))
    holidays = frozenset(date.fromisoformat(d) for d in instrument.get("public_holidays", []))
    return within, Calendar(
        windows=windows(
            hours,
            zone,
            holidays,
            local_date(zone, within.start) - DAY,
            local_date(zone, within.end) + DAY,
        ),
        policy=parse_policy(instrument["policy"]),
        blocks=[
            Block(Period(instant(b["start"]), instant(b["end"])), 1, b["kind"])
            for b in case["blocked"]
        ],
    )


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda c: c["name"])
def test_worked_case(case):
    within, calendar = calendar_of(case)
    starts = calendar.starts(
        minutes=case["minutes"],
        price_group=case["price_group"],
        within=within,
        now=instant(case["now"]),
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
        calendar.starts(
            minutes=case["minutes"], price_group=case["price_group"], within=within, now=now
        )
    )
    assert offered
    moment = within.start
    while moment + length <= within.end:
        wish = Wish(Period(moment, moment + length), case["price_group"])
        assert (moment in offered) == (calendar.check(wish, now) == ())
        moment += timedelta(minutes=15)


ZONES = ["Asia/Shanghai", "America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca"]
CHANGES = {
    "Asia/Shanghai": date(2026, 3, 4),
    "America/Chicago": date(2025, 3, 7),
    "Australia/Lord_Howe": date(2025, 10, 3),
    "Africa/Casablanca": date(2025, 2, 21),
}


@st.composite
def worlds(draw):
    """A zone around a clock change, weekly rules that may abut, blocks per unit, a policy."""
    name = draw(st.sampled_from(ZONES))
    zone, first = ZoneInfo(name), CHANGES[name]
    rules = tuple(
        WeeklyRule(weekday, opens * 30, min(1440, (opens + length) * 30))
        for weekday, opens, length in draw(
            st.lists(
                st.tuples(st.integers(1, 7), st.integers(0, 40), st.integers(1, 47)),
                max_size=7,
                unique_by=lambda r: r[0],
            )
        )
    )
    slot = draw(st.sampled_from([15, 30, 45, 60]))
    units = draw(st.integers(1, 3))
    policy = Policy(
        slot_minutes=slot,
        min_minutes=slot,
        max_minutes=slot * draw(st.integers(1, 12)),
        setup_minutes=draw(st.sampled_from([0, 10, 30])),
        teardown_minutes=draw(st.sampled_from([0, 20])),
        notice_minutes=draw(st.sampled_from([0, 600])),
        units=units,
    )
    origin = datetime.combine(first, datetime.min.time(), tzinfo=zone).astimezone(UTC)
    within = Period(origin, origin + 4 * DAY)
    blocks = []
    for unit in range(1, units + 1):
        edges = sorted(draw(st.lists(st.integers(0, 4 * 96), max_size=8, unique=True)))
        blocks += [
            Block(
                Period(origin + timedelta(minutes=15 * a), origin + timedelta(minutes=15 * b)),
                unit,
                draw(st.sampled_from(["reservation", "closure"])),
            )
            for a, b in zip(edges[::2], edges[1::2], strict=False)
        ]
    calendar = Calendar(
        windows=windows(OpeningHours(rules), zone, frozenset(), first - DAY, first + 6 * DAY),
        policy=policy,
        blocks=blocks,
    )
    return calendar, within, origin


@given(worlds(), st.integers(1, 8))
def test_starts_and_check_agree(world, slots):
    calendar, within, now = world
    minutes = slots * calendar.policy.slot_minutes
    offered = calendar.starts(minutes=minutes, price_group="internal", within=within, now=now)
    assert offered == sorted(set(offered))
    length = timedelta(minutes=minutes)
    moment = within.start
    while moment + length <= within.end:
        refusals = calendar.explain(Wish(Period(moment, moment + length), "internal"), now)
        assert (moment in offered) == (not refusals)
        for refusal in refusals:
            if refusal.nearest:
                assert calendar.check(Wish(refusal.nearest, "internal"), now) == ()
        moment += timedelta(minutes=45)


@given(worlds())
def test_free_and_busy_partition_the_opening_hours(world):
    calendar, within, _ = world
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


def refused(calendar, start, minutes, now, **wish):
    period = Period(start, start + timedelta(minutes=minutes))
    return calendar.explain(Wish(period, wish.pop("price_group", "internal"), **wish), now)


@pytest.fixture
def monday():
    """Open Monday 09:00 to 17:00 in London winter, one unit, hourly, 2 to 4 hours."""
    zone = ZoneInfo("Europe/London")
    day = date(2026, 1, 5)
    return Calendar(
        windows=windows(
            OpeningHours((WeeklyRule(1, 540, 1020),)), zone, frozenset(), day - DAY, day + 15 * DAY
        ),
        policy=Policy(
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
    assert [r.code for r in early] == ["too-far"]


def test_the_nearest_change_that_passes(monday):
    (refusal,) = refused(monday, instant("2026-01-05T10:00Z"), 120, NOW)
    assert refusal.nearest == Period(instant("2026-01-05T09:00Z"), instant("2026-01-05T11:00Z"))
    (short,) = refused(monday, instant("2026-01-05T13:00Z"), 60, NOW)
    assert short.nearest == Period(instant("2026-01-05T13:00Z"), instant("2026-01-05T15:00Z"))


def test_a_group_without_a_rate_and_an_unpublished_instrument(monday):
    (refusal,) = refused(monday, instant("2026-01-05T09:00Z"), 120, NOW, is_served=False)
    assert (refusal.code, refusal.nearest) == ("audience-not-served", None)
    hidden = Calendar(
        windows=monday.windows, policy=monday.policy, blocks=monday.blocks, is_published=False
    )
    (refusal,) = refused(hidden, instant("2026-01-05T09:00Z"), 120, NOW)
    assert refusal.code == "not-published"


def test_with_two_units_the_lowest_free_one_is_taken(monday):
    two = Calendar(
        windows=monday.windows,
        policy=Policy(slot_minutes=60, min_minutes=60, units=2),
        blocks=monday.blocks,
    )
    nine = instant("2026-01-05T09:00Z")
    assert two.free_unit(Period(nine, nine + timedelta(hours=2))) == 1
    assert two.free_unit(Period(nine, nine + timedelta(hours=3))) == 2
    assert two.busy(Period(nine, nine + timedelta(hours=8))) == []


def test_hours_read_back_as_they_were_written():
    for case in CASES["cases"]:
        hours = parse_hours(case["instrument"]["opening_hours"])
        assert parse_hours(hours_to_json(hours)) == hours
