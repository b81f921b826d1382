"""What meters count."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.questions.domain.meters import Reading, advanced, hours_of, most_to_read, standing
from bookings.record.domain.periods import Period
from tests.factories.moments import NOW

HOUR = timedelta(hours=1)


def read(hours, value, is_reset=False):
    return Reading(NOW + hours * HOUR, Decimal(value), is_reset)


def test_a_meter_goes_on_by_its_steps_after_the_moment():
    readings = [read(-2, 100), read(1, 110), read(2, 115), read(3, 3, is_reset=True), read(4, 8)]
    assert advanced(readings, NOW) == 20
    assert advanced(readings[:1], NOW) == 0
    assert advanced([], NOW) == 0


def test_what_a_meter_can_show_by_now():
    now = NOW + 10 * HOUR
    assert most_to_read([], "h", now) is None
    assert most_to_read([read(0, 100), read(4, 102)], " Hours", now) == 109
    # Of other units: from three steps on, and those after a reset alone count.
    shots = [read(0, 7), read(1, 9), read(2, 12)]
    assert most_to_read(shots, "shots", now) is None
    assert most_to_read([*shots, read(3, 13)], "shots", now) == 13 + 300
    assert most_to_read([*shots, read(3, 0, is_reset=True), read(4, 1)], "", now) == 301
    assert most_to_read([read(n, 5) for n in range(5)], "", now) is None


@given(st.lists(st.decimals(0, 1000, places=2), min_size=1, max_size=12), st.integers(0, 12))
def test_between_readings_that_only_rise_it_is_the_difference(steps, cut):
    values, total = [], Decimal(0)
    for step in steps:
        total += step
        values.append(total)
    readings = [read(n + 1, value) for n, value in enumerate(values)]
    since = NOW + (min(cut, len(values)) + Decimal(0).__int__()) * HOUR
    base = next(
        (v for r, v in reversed(list(zip(readings, values, strict=True))) if r.at <= since), values[0]
    )
    assert advanced(readings, since) == values[-1] - base


def test_hours_before_the_moment_do_not_count():
    uses = [
        Period(NOW - 3 * HOUR, NOW - HOUR),
        Period(NOW - HOUR, NOW + HOUR / 2),
        Period(NOW + HOUR, NOW + 2 * HOUR),
    ]
    assert hours_of(uses, NOW) == Decimal("1.50")


@pytest.mark.parametrize(
    ("used", "told"), [("89.99", "fine"), ("90", "near"), ("99.99", "near"), ("100", "reached")]
)
def test_near_and_reached(used, told):
    assert standing(Decimal(used), Decimal(100), 90) == told
