"""Each minute of standby has one reason."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.hours.domain import idle
from bookings.hours.domain.idle import Claim, Idle, Promise, idle_parts, joined, parted, standby_of, sums_of

LAST = 60
spans = st.tuples(st.integers(0, LAST), st.integers(0, LAST)).map(lambda pair: (min(pair), max(pair)))
many = st.lists(spans, max_size=6)
claims = st.lists(
    st.builds(
        lambda reason, span, unit, code: Claim(reason, *span, unit, code if reason == "refused" else ""),
        st.sampled_from(idle.REASONS[:-1]),
        spans,
        st.integers(0, 2),
        st.sampled_from(["a-rule", "b-rule"]),
    ),
    max_size=8,
)
promises = st.lists(
    st.builds(lambda span, minutes: Promise(*span, minutes), spans, st.integers(0, 40)), max_size=2
)


def minutes(pieces):
    return {minute for start, end in pieces for minute in range(start, end)}


@given(many, many)
def test_what_is_inside_and_what_is_left(these, those):
    inside, outside = parted(joined(these), joined(those))
    assert minutes(inside) == minutes(these) & minutes(those)
    assert minutes(outside) == minutes(these) - minutes(those)


@given(many, many, claims)
def test_each_minute_has_the_first_reason_that_holds(opened, busy, found):
    standby = {unit: standby_of(joined(opened), busy) for unit in (1, 2)}
    parts = idle_parts(standby, found)
    given_to = {}
    for part in parts:
        for minute in range(part.start, part.end):
            assert (part.unit, minute) not in given_to
            given_to[part.unit, minute] = (part.reason, part.code)
    for unit in (1, 2):
        for minute in minutes(opened) - minutes(busy):
            holding = [
                (idle.REASONS.index(c.reason), c.code)
                for c in found
                if c.start <= minute < c.end and c.unit in (0, unit)
            ]
            first = min(holding, default=(len(idle.REASONS) - 1, ""))
            assert given_to.pop((unit, minute)) == (idle.REASONS[first[0]], first[1])
    assert not given_to


@given(many, many, claims, promises)
def test_the_reasons_add_up_to_standby(opened, busy, found, promised):
    standby = {unit: standby_of(joined(opened), busy) for unit in (1, 2)}
    parts = idle_parts(standby, found, promised)
    whole = 2 * len(minutes(opened) - minutes(busy))
    by_reason, by_code = sums_of(parts)
    assert sum(by_reason.values()) == whole
    assert sum(by_code.values()) == by_reason["refused"]
    without = sums_of(idle_parts(standby, found))[0]
    assert by_reason["kept_unused"] - without["kept_unused"] <= sum(p.minutes for p in promised)
    assert by_reason["no_show"] == without["no_show"]


@given(many, claims, promises, st.integers(0, LAST))
def test_parts_of_a_year_add_up_to_it(opened, found, promised, cut):
    parts = idle_parts({1: joined(opened)}, found, promised)
    halves = [sums_of(idle.within(parts, *span))[0] for span in ((0, cut), (cut, LAST))]
    assert {name: halves[0][name] + halves[1][name] for name in idle.REASONS} == sums_of(parts)[0]


def test_promised_minutes_are_the_earliest_that_are_left():
    found = [Claim("no_show", 0, 10, unit=1), Claim("refused", 20, 30, code="too-long")]
    parts = idle_parts({1: [(0, 60)], 2: [(0, 30)]}, found, [Promise(0, 50, 45)])
    assert parts == [
        Idle(0, 5, 2, "kept_unused"),
        Idle(0, 10, 1, "no_show"),
        Idle(5, 20, 2, "not_asked"),
        Idle(10, 50, 1, "kept_unused"),
        Idle(20, 30, 2, "refused", "too-long"),
        Idle(50, 60, 1, "not_asked"),
    ]


@pytest.mark.parametrize("text", ["2026-03-06T10:00:59.999+08:00", "1969-12-31T23:59:00+00:00"])
def test_an_instant_is_in_its_minute(text):
    moment = datetime.fromisoformat(text)
    assert idle.moment_of(idle.minute_of(moment)) == moment.replace(second=0, microsecond=0)
