"""Finding times for steps that follow each other."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.plans.domain.chains import Candidate, find, find_together, require_gaps
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap, Placed, is_in_order

DAY = datetime(2026, 3, 9, tzinfo=UTC)


def at(hour):
    return DAY + timedelta(hours=hour)


def candidate(hours, minutes=60, gap=Gap()):  # noqa: B008
    return Candidate(minutes, gap, [at(hour) for hour in hours])


def shown(chains):
    return [[(p.start - DAY) / timedelta(hours=1) for p in chain] for chain in chains]


class TestFind:
    def test_one_for_each_first_start_the_soonest_over(self):
        steps = [candidate([8, 9, 10, 16]), candidate([9, 12]), candidate([13, 15])]
        assert shown(find(steps, 9)) == [[8, 9, 13], [9, 12, 13], [10, 12, 13]]
        assert shown(find(steps, 2)) == [[8, 9, 13], [9, 12, 13]]

    def test_the_next_free_start_may_be_a_dead_end(self):
        # From 9 the last step would have to begin by 11; only 12 leads on.
        steps = [candidate([8]), candidate([9, 12]), candidate([13], gap=Gap(0, 60))]
        assert shown(find(steps, 9)) == [[8, 12, 13]]

    def test_pauses(self):
        steps = [candidate([8, 9]), candidate([10, 11, 12], gap=Gap(60, 120))]
        assert shown(find(steps, 9)) == [[8, 10], [9, 11]]
        steps = [candidate([8]), candidate([9, 12], gap=Gap(30, 60))]
        assert find(steps, 9) == []

    def test_nothing_to_find(self):
        assert find([], 3) == []
        assert find([candidate([8]), candidate([])], 3) == []
        assert find([candidate([]), candidate([9])], 3) == []


hours = st.lists(st.integers(0, 30), unique=True, max_size=9).map(sorted)
gaps = st.tuples(st.integers(0, 6), st.none() | st.integers(0, 8)).map(
    lambda g: Gap(g[0] * 30, None if g[1] is None else (g[0] + g[1]) * 30)
)
worlds = st.lists(
    st.tuples(hours, st.sampled_from([30, 60, 150]), gaps).map(
        lambda t: candidate([h / 2 for h in t[0]], t[1], t[2])
    ),
    min_size=1,
    max_size=4,
)


def accepted(steps, starts):
    """What makes a chain right, said without any search."""
    periods = [Period(s, s + c.length) for c, s in zip(steps, starts, strict=True)]
    if any(start not in step.starts for step, start in zip(steps, starts, strict=True)):
        return False
    for i in range(1, len(steps)):
        pause = (periods[i].start - periods[i - 1].end) / timedelta(minutes=1)
        gap = steps[i].gap
        if pause < gap.least or (gap.most is not None and pause > gap.most):
            return False
    return True


@given(worlds)
def test_every_chain_is_right_and_none_is_missed(steps):
    found = find(steps, 1000)
    assert all(accepted(steps, [p.start for p in chain]) for chain in found)
    best = {}
    for starts in product(*(step.starts for step in steps)):
        if accepted(steps, starts):
            end = starts[-1] + steps[-1].length
            best[starts[0]] = min(best.get(starts[0], (end, starts)), (end, starts))
    assert [chain[0].start for chain in found] == sorted(best)
    assert [chain[-1].end for chain in found] == [best[first][0] for first in sorted(best)]


@given(worlds, st.integers(0, 5))
def test_the_first_few_are_the_first_of_all(steps, most):
    assert find(steps, most or 1) == find(steps, 1000)[: most or 1]


@given(worlds)
def test_what_is_found_is_in_order(steps):
    for chain in find(steps, 5):
        placed = [Placed(i, period) for i, period in enumerate(chain, start=1)]
        assert is_in_order(placed, [step.gap for step in steps[1:]])


@given(worlds, st.integers(1, 5))
def test_together_all_begin_where_each_can_and_no_such_moment_is_missed(steps, most):
    found = find_together(steps, most)
    moments = sorted({start for step in steps for start in step.starts})
    right = [m for m in moments if all(m in step.starts for step in steps)]
    assert [[p.start for p in way] for way in found] == [[m] * len(steps) for m in right[:most]]
    assert all([p.length for p in way] == [step.length for step in steps] for way in found)


class TestOrder:
    GAPS = [Gap(30, 60), Gap(0, 120)]

    def placed(self, **steps):
        return [Placed(int(name[1:]), Period(at(hour), at(hour + 1))) for name, hour in steps.items()]

    @pytest.mark.parametrize(
        ("steps", "good"),
        [
            ({"s1": 8, "s2": 9.5, "s3": 11}, True),
            ({"s1": 8, "s2": 9, "s3": 11}, False),
            ({"s1": 8, "s2": 10, "s3": 14}, False),
            ({"s1": 8, "s2": 7}, False),
            ({"s1": 8, "s3": 20}, True),  # the second was given up
            ({"s1": 8, "s3": 7}, False),
            ({"s2": 8}, True),
        ],
    )
    def test_which(self, steps, good):
        assert is_in_order(self.placed(**steps), self.GAPS) is good


def test_a_pause_that_ends_before_it_begins():
    require_gaps([Gap(), Gap(30, 30)])
    with pytest.raises(Invalid) as refused:
        require_gaps([Gap(), Gap(60, 30)])
    assert [(p.field, p.code) for p in refused.value.problems] == [("steps[1].gap_max", "gap-backwards")]
