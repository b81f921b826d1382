"""Times of the day that a wish names, and what is suggested first where it names none."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.availability.domain import times_of_day as times_of_day_rules
from bookings.plans.domain.chains import Candidate, suggest
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap

SHANGHAI, CHICAGO = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/Chicago")
MONDAY = datetime(2026, 3, 9, tzinfo=SHANGHAI)
HALF = timedelta(minutes=30)


def at(hour, minutes=60, zone=SHANGHAI, day=MONDAY):
    start = day.replace(tzinfo=zone) + timedelta(hours=hour)
    return Period(start.astimezone(UTC), start.astimezone(UTC) + timedelta(minutes=minutes))


def test_a_booking_lies_within_to_the_minute():
    morning = times_of_day_rules.TimesOfDay(time(9), time(12, 30))
    assert morning.admits(at(9), SHANGHAI)
    assert morning.admits(at(11.5), SHANGHAI)
    assert not morning.admits(at(12), SHANGHAI)
    assert not morning.admits(at(8.5), SHANGHAI)
    assert not morning.admits(at(9), CHICAGO)  # its own clock counts
    assert morning.minutes == 210


def test_a_night_runs_into_the_next_day():
    night = times_of_day_rules.TimesOfDay(time(22), time(6))
    assert night.admits(at(22, 480), SHANGHAI)
    assert night.admits(at(1), SHANGHAI)
    assert not night.admits(at(5.5), SHANGHAI)
    assert not night.admits(at(21.5), SHANGHAI)
    assert times_of_day_rules.TimesOfDay(time(20), time(0)).admits(at(23), SHANGHAI)
    assert times_of_day_rules.TimesOfDay().minutes == 24 * 60


def test_what_is_longer_than_the_times_named_is_refused():
    assert times_of_day_rules.times_of_day(None, None, [9999]) is None
    assert times_of_day_rules.times_of_day(time(9), None, [900]) == times_of_day_rules.TimesOfDay(
        time(9), time(0)
    )
    with pytest.raises(Invalid) as caught:
        times_of_day_rules.times_of_day(time(9), time(12), [60, 181])
    (problem,) = caught.value.problems
    assert (problem.field, problem.code) == ("hours_until", "longer-than-window")


def test_usual_working_hours_come_first_and_long_work_begins_in_them():
    starts = [at(h).start for h in range(48)]
    assert times_of_day_rules.preferred_first(starts, 60, SHANGHAI, None)[:2] == [at(8).start, at(9).start]
    assert sorted(times_of_day_rules.preferred_first(starts, 60, SHANGHAI, None)) == starts
    assert times_of_day_rules.usual_among(starts, 1440, SHANGHAI)[0] == at(8).start
    weekend = [at(h + 5 * 24).start for h in range(24)]
    assert times_of_day_rules.preferred_first(weekend, 60, SHANGHAI, None) == weekend
    named = times_of_day_rules.TimesOfDay(time(20), time(22))
    assert times_of_day_rules.preferred_first(starts, 60, SHANGHAI, named)[:2] == [at(20).start, at(21).start]


clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))


@given(since=clocks, until=clocks, start=st.integers(0, 7 * 48), length=st.integers(1, 48))
def test_every_half_hour_of_what_is_admitted_is_admitted(since, until, start, length):
    times = times_of_day_rules.TimesOfDay(since, until)
    period = at(start / 2, length * 30)
    if times.admits(period, SHANGHAI):
        assert length * 30 <= times.minutes
        for number in range(length):
            begins = period.start + number * HALF
            assert times.admits(Period(begins, begins + HALF), SHANGHAI)


steps = st.lists(
    st.tuples(
        st.lists(st.integers(0, 200), unique=True, max_size=60).map(sorted),
        st.sampled_from([30, 60, 240]),
        st.sampled_from([Gap(), Gap(60), Gap(0, 240)]),
    ),
    min_size=1,
    max_size=4,
)


@given(steps=steps, together=st.booleans(), most=st.integers(1, 5))
def test_suggestions_are_distinct_in_order_and_usual_ones_first(steps, together, most):
    candidates = []
    for halves, minutes, gap in steps:
        starts = [at(half / 2).start for half in halves]
        candidates.append(
            Candidate(minutes, gap, starts, times_of_day_rules.usual_among(starts, minutes, SHANGHAI))
        )
    ways = suggest(candidates, most, together=together)
    assert len(ways) <= most
    kinds = []
    for number, way in enumerate(ways):
        assert all(p.start in c.starts for p, c in zip(way, candidates, strict=True))
        assert not any(way[0].meets(other[0]) for other in ways[:number])
        if together:
            assert len({period.start for period in way}) == 1
        else:
            for before, after, step in zip(way, way[1:], candidates[1:], strict=False):
                assert step.gap.admits(before.end, after.start)
        kinds.append(all(times_of_day_rules.USUAL.admits(period, SHANGHAI) for period in way))
    # Whatever is at usual times in every step stands before what is not.
    assert kinds == sorted(kinds, reverse=True)
