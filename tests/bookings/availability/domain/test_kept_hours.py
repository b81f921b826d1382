"""Hours guaranteed for holders, against brute force on small calendars."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.availability.domain.kept_hours import Kept, PricedPart, Promises, priced_parts
from bookings.record.domain.periods import Period
from instruments.policy.domain.policies import Policy

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = 10


def span(start, end):
    return Period(BEGIN + start * HOUR, BEGIN + end * HOUR)


def kept(holder, hours, start, end, **more):
    return Kept(holder, int(hours * 60), span(start, end), id=(holder, start, end), **more)


def promises(rights, *, taken=(), opened=((0, HOURS),), **policy):
    rules = {"slot_minutes": 60, "min_minutes": 60, "max_minutes": 600} | policy
    return Promises(
        rights,
        opened=[span(*o) for o in opened],
        taken=[(unit, span(*s)) for unit, s in taken],
        policy=Policy(**rules),
    )


def refused(judge, holder, start, end, now=BEGIN - HOUR):
    period = span(start, end)
    policy = judge.policy
    blocked = period.padded(policy.setup_minutes, policy.teardown_minutes)
    return [r.numbers for r in judge.refusals(holder, period, blocked, now)]


def test_others_may_have_what_is_not_needed():
    judge = promises([kept("A", 4, 0, 8)])
    assert refused(judge, "B", 0, 4) == []
    assert refused(judge, None, 0, 5) == [
        {
            "kept": "4",
            "free": "3",
            "start": "2026-03-02T00:00:00+00:00",
            "end": "2026-03-02T08:00:00+00:00",
            "released_minutes": 0,
        }
    ]
    assert refused(judge, "B", 7, 10) == []
    assert refused(judge, "A", 0, 10) == []  # its own


def test_windows_share_the_time_of_both():
    """Neither window alone is short, both together are."""
    judge = promises([kept("A", 3, 0, 5), kept("B", 3, 3, 8)])
    assert refused(judge, "C", 3, 5) == []
    judge = promises([kept("A", 4, 0, 5), kept("B", 4, 3, 8)], taken=[(1, (2, 2.5))])
    [numbers] = refused(judge, "C", 0, 1)
    assert (numbers["kept"], numbers["free"]) == ("8", "6.5")


def test_a_holder_is_somebody_else_to_the_others():
    judge = promises([kept("A", 2, 0, 4), kept("B", 2, 0, 4)])
    assert refused(judge, "A", 0, 2) == []
    assert [r["kept"] for r in refused(judge, "A", 0, 3)] == ["2"]


def test_what_begins_no_later_than_the_release_is_everybodys():
    judge = promises([kept("A", 8, 0, 8, released_minutes=120)])
    assert refused(judge, "B", 2, 4, now=BEGIN) == []
    assert refused(judge, "B", 2, 8, now=BEGIN) == []
    assert len(refused(judge, "B", 3, 4, now=BEGIN)) == 1


def test_gaps_shorter_than_a_booking_do_not_count():
    judge = promises([kept("A", 4, 0, 8)], min_minutes=120)
    assert refused(judge, "B", 0, 4) == []
    assert len(refused(judge, "B", 1, 5)) == 1  # an hour before, three behind


def test_buffers_take_their_part():
    judge = promises([kept("A", 4, 0, 8)], setup_minutes=30, teardown_minutes=30)
    assert refused(judge, "B", 0, 3) == []
    assert len(refused(judge, "B", 0, 4)) == 1
    # Several bookings have buffers between them.
    assert promises([], max_minutes=60, setup_minutes=60).room_for(kept("A", 1, 0, 8), BEGIN) == 240


def test_units_add_up_and_what_is_taken_counts():
    judge = promises([kept("A", 6, 0, 4)], units=2, taken=[(1, (0, 1)), (2, (-3, 0))])
    assert refused(judge, "B", 1, 2) == []
    judge.take(1, span(1, 2), "B", span(1, 2))
    assert len(refused(judge, "B", 2, 3)) == 1
    judge.take(2, span(0, 3), "A", span(0, 3))
    assert [k.left for k in judge.kept] == [3 * HOUR]
    assert refused(judge, "B", 5, 6) == []


@pytest.mark.parametrize("neighbour", [(1, 2), (3, 4)])
def test_a_booking_beside_another_takes_as_much(neighbour):
    judge = promises([kept("A", 4, 0, 6)], taken=[(1, neighbour)])
    assert refused(judge, "B", 2, 3) == []
    judge = promises([kept("A", 5, 0, 6)], taken=[(1, neighbour)])
    assert len(refused(judge, "B", 2, 3)) == 1


def test_room_is_what_fits_beside_others():
    judge = promises([kept("A", 4, 0, 8)])
    assert judge.room_for(kept("B", 99, 0, 8), BEGIN) == 240
    assert judge.room_for(kept("B", 1, 4, 10), BEGIN) == 360
    assert judge.room_for(kept("A", 1, 0, 8), BEGIN) == 480  # in the place of itself
    assert judge.unmet(BEGIN) == []
    late = BEGIN + 5 * HOUR
    assert [(k.holder, x) for k, x in judge.unmet(late)] == [("A", HOUR)]


def test_a_price_counts_from_the_start_as_far_as_there_is_some_left():
    rights = [
        kept("A", 3, 0, 4, burnt=60, price=Decimal(5), currency="CNY"),
        kept("A", 1, 4, 6),
        kept("A", 1, 6, 8, price=Decimal(7), currency="EUR"),
    ]
    assert priced_parts(rights, span(1, 9), "CNY") == (
        PricedPart(BEGIN + HOUR, BEGIN + 3 * HOUR, Decimal(5)),
    )
    assert priced_parts(rights, span(4, 9), "CNY") == ()


# Against brute force: every hour of every unit, every hour promised, as many pairs as possible.


def most(rights, free, now):
    """How many promised hours can be booked, by augmenting paths."""
    wanted = [(guarded, n) for k in rights if (guarded := k.guarded(now)) for n in range(int(k.left / HOUR))]
    match = {}

    def augment(n, seen):
        guarded, _ = wanted[n]
        for slot in free:
            hour = slot[1]
            if slot in seen or not guarded.contains(span(hour, hour + 1)):
                continue
            seen.add(slot)
            if slot not in match or augment(match[slot], seen):
                match[slot] = n
                return True
        return False

    return sum(augment(n, set()) for n in range(len(wanted)))


@st.composite
def rights(draw):
    made = []
    for holder in "ABC":
        if draw(st.booleans()):
            start = draw(st.integers(0, HOURS - 1))
            end = draw(st.integers(start + 1, HOURS))
            released = draw(st.sampled_from([0, 0, 60, 180]))
            hours = draw(st.integers(1, 6))
            made.append(kept(holder, hours, start, end, released_minutes=released))
    return made


WISHES = st.lists(
    st.tuples(st.sampled_from(["A", "B", "C", "X"]), st.integers(0, HOURS - 1), st.integers(1, 4)), max_size=8
)


@settings(max_examples=min(400, 10 * settings().max_examples))  # rare cases; fewer in other time zones
@given(rights(), st.integers(1, 2), WISHES, st.integers(-4, 3), st.booleans())
def test_refused_is_what_takes_from_others_and_nothing_else(rows, units, wishes, hour, is_split):
    now = BEGIN + hour * HOUR
    opened = ((0, 4), (5, HOURS)) if is_split else ((0, HOURS),)
    judge = promises(rows, units=units, opened=opened)
    free = {(u, h) for u in range(1, units + 1) for o in opened for h in range(*o)}
    whole = most(rows, free, now) == sum(k.left // HOUR for k in rows if k.guarded(now))
    for holder, start, hours in wishes:
        end = start + hours
        period = span(start, end)
        unit = next((u for u in range(1, units + 1) if all((u, h) in free for h in range(start, end))), None)
        if unit is None:
            continue
        bound = [k for k in judge.kept if period.start > now + k.released]
        after = {slot for slot in free if slot[0] != unit or not start <= slot[1] < end}
        takes = False
        for ours in (True, False):
            before = [k for k in bound if ours or k.holder != holder]
            then = [
                replace(k, burnt=k.burnt + inside.minutes)
                if k.holder == holder and (inside := k.inside(period))
                else k
                for k in before
            ]
            burnt = sum((k.left for k in before), 0 * HOUR) - sum((k.left for k in then), 0 * HOUR)
            takes |= most(then, after, now) + burnt // HOUR < most(before, free, now)
        only_own = all(k.holder == holder for k in bound if k.left and k.guarded(now))
        told = refused(judge, holder, start, end, now)
        assert bool(told) == (takes and not only_own)
        if told:
            assert float(told[0]["kept"]) > float(told[0]["free"]) or not whole
            continue
        free = after
        judge.take(unit, period, holder, period)
        # Never overdrawn: what is promised can still be booked, the time everybody has aside.
        if whole and len(bound) == len(judge.kept):
            left = sum(k.left // HOUR for k in judge.kept if k.guarded(now))
            assert most(judge.kept, free, now) == left
        else:
            whole = False


@given(rights(), st.integers(1, 2), st.integers(0, HOURS - 1), st.integers(1, 12))
def test_what_fits_can_be_promised_and_no_more(rows, units, start, hours):
    free = {(u, h) for u in range(1, units + 1) for h in range(HOURS)}
    new = kept("N", hours, start, HOURS)
    judge = promises(rows, units=units)
    now = BEGIN - 4 * HOUR
    most_now = most(rows, free, now)
    fits = most([*rows, new], free, now) - most_now
    assert min(judge.room_for(new, now) // 60, hours) == fits


@pytest.mark.parametrize("start", [2, 3, 5])
@given(st.data())
def test_never_idle_after_the_release(start, data):
    rows = data.draw(rights())
    now = BEGIN + start * HOUR - timedelta(minutes=min((k.released_minutes for k in rows), default=0))
    assert refused(promises(rows), "X", start, start + 2, now) == []
