"""Where a calendar says a booking fits, the rules find it free; elsewhere they do not."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bookings.availability.domain.availability import Block, Calendar
from bookings.availability.domain.calendars import bookable
from bookings.record.domain.periods import Period
from instruments.opening.domain.opening import Window
from instruments.policy.domain.policies import Policy

DAY = datetime(2026, 3, 6, tzinfo=UTC)
WITHIN = Period(DAY, DAY + timedelta(days=1))


def at(minute):
    return DAY + timedelta(minutes=minute)


def period(start, minutes):
    return Period(at(start), at(start + minutes))


def calendar(blocks, *, units=1, setup=0, teardown=0, opens=480, closes=1080):
    policy = Policy(
        slot_minutes=15, min_minutes=15, units=units, setup_minutes=setup, teardown_minutes=teardown
    )
    return Calendar(windows=[Window(at(opens), at(closes))], policy=policy, blocks=blocks)


def test_nothing_taken_leaves_the_opening_hours():
    assert bookable(calendar([]), WITHIN) == [period(480, 600)]


def test_the_buffers_of_a_new_booking_keep_their_distance():
    taken = [Block(period(600, 60))]
    found = bookable(calendar(taken, setup=15, teardown=30), WITHIN)
    # Until 30 minutes before what follows, from 15 after what came before.
    assert found == [period(480, 90), period(675, 405)]


def test_units_have_spans_of_their_own():
    taken = [Block(period(480, 120), 1), Block(period(600, 480), 2)]
    assert bookable(calendar(taken, units=2), WITHIN) == [period(480, 120), period(600, 480)]


def test_a_span_inside_another_is_not_said_twice():
    assert bookable(calendar([Block(period(600, 60), 2)], units=2), WITHIN) == [period(480, 600)]


@st.composite
def worlds(draw):
    units = draw(st.integers(1, 3))
    blocks = []
    for unit in range(1, units + 1):
        edges = sorted(set(draw(st.lists(st.integers(0, 96), max_size=8))))
        blocks += [
            Block(period(start * 15, (end - start) * 15), unit)
            for start, end in zip(edges[::2], edges[1::2], strict=False)
        ]
    buffer = st.sampled_from([0, 15, 30, 45])
    return calendar(blocks, units=units, setup=draw(buffer), teardown=draw(buffer))


@given(worlds(), st.integers(0, 95), st.integers(1, 24))
def test_a_period_fits_exactly_where_the_rules_find_it_open_and_a_unit_free(world, start, slots):
    wish = period(start * 15, slots * 15)
    fits = any(span.contains(wish) for span in bookable(world, WITHIN))
    if wish.end <= WITHIN.end:
        assert fits == (world.is_open(wish) and world.free_unit(wish) is not None)
