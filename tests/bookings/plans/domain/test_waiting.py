"""The rules of the waiting list: order, what fits, until when, what was offered before."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.availability.domain.availability import Asker, Block, Calendar
from bookings.plans.domain import waiting
from bookings.record.domain.periods import Period
from instruments.opening.domain.opening import Window
from instruments.policy.domain.policies import Policy
from tests.factories.moments import NOW, at

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wish:
    id: UUID
    created_at: object


wishes = st.builds(
    Wish, id=st.uuids(), created_at=st.integers(0, 5).map(lambda seconds: NOW + timedelta(seconds=seconds))
)
lines = st.lists(wishes, max_size=12, unique_by=lambda wish: wish.id)
moments = st.integers(-3000, 3000).map(lambda minutes: NOW + minutes * MINUTE)
lengths = st.integers(1, 16).map(lambda slots: slots * 30)


@given(line=lines)
def test_the_order_is_of_creation_then_id_and_does_not_depend_on_the_question(line):
    ordered = waiting.in_order(line)
    assert sorted(ordered, key=lambda w: w.id) == sorted(line, key=lambda w: w.id)
    for one, other in pairwise(ordered):
        assert (one.created_at, one.id) < (other.created_at, other.id)
    assert waiting.in_order(reversed(line)) == ordered
    assert [waiting.ranks(line)[wish.id] for wish in ordered] == list(range(1, len(line) + 1))


@given(line=lines, newcomer=wishes)
def test_who_comes_later_moves_nobody(line, newcomer):
    later = Wish(newcomer.id, NOW + DAY)
    before = waiting.ranks(w for w in line if w.id != later.id)
    after = waiting.ranks([*(w for w in line if w.id != later.id), later])
    assert after.pop(later.id) == len(before) + 1
    assert after == before


@given(minutes=st.integers(1, 44640), start=moments)
def test_an_offer_stands_as_long_as_the_policy_says_and_never_past_the_start(minutes, start):
    deadline = waiting.answer_by(NOW, minutes, start)
    if start - NOW < waiting.LEAST_TO_ANSWER:
        assert deadline is None
    else:
        assert NOW < deadline <= start
        assert deadline in (start, NOW + minutes * MINUTE)


@given(earliest=moments, latest=moments, minutes=lengths)
def test_what_is_left_of_a_window_leaves_time_to_answer_and_room(earliest, latest, minutes):
    left = waiting.window_left(earliest, latest, minutes, NOW)
    start = max(earliest, NOW + waiting.LEAST_TO_ANSWER)
    assert (left is None) == (start + minutes * MINUTE > latest)
    if left is not None:
        assert left == Period(start, latest)
        assert waiting.answer_by(NOW, 120, left.start) is not None


starts = st.lists(st.integers(0, 96), max_size=20, unique=True).map(
    lambda slots: [NOW + slot * 30 * MINUTE for slot in sorted(slots)]
)
periods = st.tuples(st.integers(0, 96), lengths).map(
    lambda pair: Period(NOW + pair[0] * 30 * MINUTE, NOW + pair[0] * 30 * MINUTE + pair[1] * MINUTE)
)


@given(
    starts=starts, minutes=lengths, offered=st.lists(periods, max_size=4), refused=st.sets(st.integers(0, 96))
)
def test_the_earliest_that_is_bookable_and_meets_nothing_offered_before(starts, minutes, offered, refused):
    def accepts(period):
        return (period.start - NOW) // (30 * MINUTE) not in refused

    def takes(start):
        period = Period(start, start + minutes * MINUTE)
        return accepts(period) and not any(period.meets(other) for other in offered)

    found = waiting.first_fit(starts, minutes, offered=offered, accepts=accepts)
    assert found == next((start for start in starts if takes(start)), None)


@given(minutes=lengths, taken=st.lists(periods, max_size=4))
def test_whatever_is_let_go_by_every_time_ends_and_never_comes_back(minutes, taken):
    """Somebody who declines everything is offered disjoint periods, each free, and then no
    more."""
    calendar = Calendar(
        windows=[Window(NOW, NOW + DAY)],
        policy=Policy(horizon_days={"external": 60}),
        blocks=[Block(period, unit=1) for period in _disjoint(taken)],
    )
    free = calendar.starts(minutes=minutes, asker=Asker(), within=Period(NOW, NOW + DAY), now=NOW - DAY)
    offered: list[Period] = []
    while (start := waiting.first_fit(free, minutes, offered=offered, accepts=lambda p: True)) is not None:
        period = Period(start, start + minutes * MINUTE)
        assert not any(period.meets(other) for other in [*offered, *_disjoint(taken)])
        assert not offered or period.start >= offered[-1].end
        offered.append(period)
    assert bool(offered) == bool(free)


def _disjoint(periods):
    kept: list[Period] = []
    for period in periods:
        if not any(period.meets(other) for other in kept):
            kept.append(period)
    return kept


@pytest.mark.parametrize(
    ("price", "limit", "is_fine"),
    [
        ((Decimal("620.00"), "CNY"), None, True),
        ((Decimal("620.00"), "CNY"), (Decimal("620.00"), "CNY"), True),
        ((Decimal("620.01"), "CNY"), (Decimal("620.00"), "CNY"), False),
        ((Decimal("1.00"), "USD"), (Decimal("620.00"), "CNY"), False),
        ((None, "CNY"), (Decimal("620.00"), "CNY"), False),
        ((None, "CNY"), None, True),
    ],
)
def test_a_price_at_most(price, limit, is_fine):
    assert waiting.is_at_most(price, limit) == is_fine


@pytest.mark.parametrize(
    ("state", "taken_at", "now", "expected"),
    [
        ("waiting", None, NOW, ("waiting", None)),
        ("waiting", None, NOW + DAY, ("expired", NOW + DAY)),
        ("waiting", NOW, NOW, ("fulfilled", NOW)),
        ("waiting", NOW, NOW + 2 * DAY, ("fulfilled", NOW)),
        ("withdrawn", None, NOW + 2 * DAY, ("withdrawn", None)),
        ("fulfilled", NOW, NOW + DAY, ("fulfilled", None)),
    ],
)
def test_deadlines_decide_not_jobs(state, taken_at, now, expected):
    assert waiting.state_at(state, NOW + DAY, taken_at, now) == expected


@pytest.mark.parametrize(
    ("earliest", "latest", "minutes", "problem"),
    [
        (NOW, NOW, 60, ("latest", "not-after-start")),
        (NOW - 2 * DAY, NOW, 60, ("latest", "in-the-past")),
        (NOW, NOW + 93 * DAY, 60, ("latest", "span-too-long")),
        (NOW + 360 * DAY, NOW + 367 * DAY, 60, ("latest", "span-too-long")),
        (NOW, NOW + 74 * MINUTE, 60, ("minutes", "longer-than-window")),
        (NOW, NOW + 75 * MINUTE, 60, None),
        (NOW - 90 * DAY, NOW + 90 * DAY, 60, None),
    ],
)
def test_windows_of_which_nothing_could_come(earliest, latest, minutes, problem):
    if problem is None:
        waiting.check_window(earliest, latest, minutes, NOW)
        return
    with pytest.raises(Invalid) as refused:
        waiting.check_window(earliest, latest, minutes, NOW)
    assert [(p.field, p.code) for p in refused.value.problems] == [problem]


@pytest.mark.parametrize(
    ("qualified", "codes"),
    [
        (None, []),
        ((), ["qualification-missing"]),
        ((Period(NOW - DAY, NOW + 59 * MINUTE),), ["qualification-expires"]),
        ((Period(NOW - DAY, NOW + 60 * MINUTE),), []),
    ],
)
def test_a_certificate_must_hold_for_as_long_as_is_wished(qualified, codes):
    found = waiting.hindrances(Asker(qualified=qualified), Period(NOW, NOW + DAY), 60, is_published=True)
    assert [refusal.code for refusal in found] == codes


def test_everything_that_stands_in_the_way_is_named():
    asker = Asker("industry", is_served=False, qualified=())
    found = waiting.hindrances(asker, Period(at("2026-03-06 10:00"), at("2026-03-06 12:00")), 60,
                       is_published=False)  # fmt: skip
    assert [(r.code, dict(r.numbers)) for r in found] == [
        ("not-published", {}),
        ("audience-not-served", {"price_group": "industry"}),
        ("qualification-missing", {}),
    ]
