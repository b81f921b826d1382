"""Ordering matches: gates, parts, labels."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.needs.domain import matching

ABOVE = {
    "sem": frozenset({"em"}),
    "tem": frozenset({"em"}),
    "stem": frozenset({"tem", "em"}),
    "em": frozenset(),
    "xrd": frozenset(),
}
PARENTS = {"sem": ["em"], "tem": ["em"], "stem": ["tem"]}


@pytest.mark.parametrize(
    ("offered", "wanted", "worth"),
    [
        (["tem"], ["tem"], 1.0),
        (["sem"], ["stem"], 0.0),  # of one family, but not directly below the same
        (["stem"], ["tem"], 1.0),  # a narrower one
        (["sem"], ["tem"], 0.7),
        (["em"], ["tem"], 0.4),
        (["xrd"], ["tem"], 0.0),
        (["xrd", "em", "sem"], ["tem"], 0.7),  # the nearest of them
        ([], ["tem"], 0.0),
    ],
)
def test_nearness_of_techniques(offered, wanted, worth):
    assert matching.nearest(offered, wanted, ABOVE, PARENTS).nearness == worth


def test_the_nearest_is_named_with_what_it_answers():
    assert matching.nearest(["sem", "stem"], ["xrd", "tem"], ABOVE, PARENTS) == (1.0, "stem", "tem")
    assert matching.nearest(["sem"], ["stem", "tem"], ABOVE, PARENTS) == (0.7, "sem", "tem")
    assert matching.nearest(["xrd"], ["tem"], ABOVE, PARENTS) == (0.0, "", "")
    # What the search calls near is as near as a sibling, and narrower ones with it.
    assert matching.nearest(["xrd"], ["tem"], ABOVE, PARENTS, ["xrd"]) == (0.7, "xrd", "tem")
    assert matching.nearest(["stem"], ["xrd"], ABOVE, PARENTS, ["tem"]) == (0.7, "stem", "xrd")
    assert matching.nearest(["xrd"], [], ABOVE, PARENTS, ["xrd"]) == (0.0, "", "")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"nearness": 0.0}, "technique"),
        ({"fits": ("meets", "fails")}, "requirement"),
        ({"fits": ("unknown", "unknown")}, None),
        ({"payable": Decimal(101)}, "budget"),
        ({"payable": None}, "comparison"),  # nothing says that it is within
        ({"days": None}, "time"),
        ({"gates": frozenset({"certificate"})}, "certificate"),
        ({"fits": ("fails",), "days": None}, "requirement"),  # the first that is asked
    ],
)
def test_gates(changed, code):
    candidate = matching.Candidate("a", days=0, payable=Decimal(100))
    assert matching.gate(matching.Candidate(**(vars(candidate) | changed)), Decimal(100)) == code


def test_the_example_of_a_score():
    """Starts seven working days late, costs half of the budget, must be travelled to, and one of
    two requirements is not stated."""
    (only,) = matching.match(
        [
            matching.Candidate(
                "a", fits=("meets", "unknown"), days=7, payable=Decimal(1000), effort="travel", trust=0.9
            )
        ],
        budget=Decimal(2000),
    ).matches
    assert only.parts == {"fit": 0.75, "time": 0.5, "cost": 0.5, "effort": 0.4, "trust": 0.9}
    expected = 0.35 * 0.75 + 0.25 * 0.5 + 0.2 * 0.5 + 0.1 * 0.4 + 0.1 * 0.9
    assert only.score == pytest.approx(expected)
    assert only.labels == ("soonest", "cheapest", "closest")


def test_labels_go_to_the_best_of_each():
    matches = matching.match(
        [
            matching.Candidate("far", days=0, payable=Decimal(900)),
            matching.Candidate("cheap", days=9, payable=Decimal(10)),
        ]
    ).matches
    labels = {m.candidate.key: m.labels for m in matches}
    assert labels == {"far": ("soonest",), "cheap": ("cheapest", "closest")}


def test_what_is_only_near_is_best_in_nothing():
    near = [
        matching.Candidate("sibling", days=0, payable=Decimal(1), nearness=matching.SIBLING),
        matching.Candidate("broader", days=1, payable=Decimal(1), nearness=matching.BROADER),
    ]
    assert [m.labels for m in matching.match(near).matches] == [(), ()]
    matches = matching.match(
        [
            matching.Candidate("far", days=0, payable=Decimal(900), nearness=matching.SIBLING),
            matching.Candidate("cheap", days=9, payable=Decimal(10), nearness=matching.SIBLING),
            matching.Candidate("right", days=5, payable=Decimal(500), nearness=matching.SAME),
        ]
    ).matches
    assert matches[0].candidate.key == "right"  # whatever the others score
    labels = {m.candidate.key: m.labels for m in matches}
    assert labels == {"right": ("soonest", "cheapest", "closest"), "far": (), "cheap": ()}


def test_the_soonest_is_the_first_to_start_and_not_only_the_first_working_day():
    """A Saturday noon and the Sunday after it are no working day after the Saturday morning."""
    saturday = datetime(2026, 3, 7, 4, tzinfo=UTC)
    matches = matching.match(
        [
            matching.Candidate("sunday", days=0, start=saturday + timedelta(hours=12), payable=Decimal(1)),
            matching.Candidate("saturday", days=0, start=saturday, payable=Decimal(9)),
        ]
    ).matches
    labels = {m.candidate.key: m.labels for m in matches}
    assert labels["saturday"] == ("soonest",)
    assert "soonest" not in labels["sunday"]


def test_what_it_loses_by():
    near = matching.Candidate("near", days=0, payable=Decimal(10), effort="city")
    late = matching.Candidate("late", days=30, payable=Decimal(10), effort="region")
    first, second = matching.match([late, near], budget=Decimal(100)).matches
    assert (first.candidate.key, matching.loses(second, first)) == ("near", "time")
    assert matching.loses(second, first, {"effort": 1.0}) == "effort"


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2026-03-06", "2026-03-06", 0),  # a Friday
        ("2026-03-06", "2026-03-08", 0),  # the weekend after it
        ("2026-03-06", "2026-03-09", 1),
        ("2026-03-06", "2026-03-20", 10),
        ("2026-03-09", "2026-03-06", 0),  # before
    ],
)
def test_working_days(first, last, days):
    assert matching.working_days(date.fromisoformat(first), date.fromisoformat(last)) == days


def test_trust_of_a_new_host_is_the_mean_and_of_an_old_one_its_own():
    assert matching.trusted(0, 0, 0.9) == pytest.approx(0.9)
    assert matching.trusted(90, 90, 0.8) == pytest.approx(0.98)


CANDIDATES = st.lists(
    st.builds(
        matching.Candidate,
        key=st.integers(0, 10**6),
        nearness=st.sampled_from([0.0, 0.4, 0.7, 1.0]),
        fits=st.lists(st.sampled_from(["meets", "unknown", "fails"]), max_size=3).map(tuple),
        days=st.none() | st.integers(0, 400),
        payable=st.none() | st.decimals(0, 10**6, places=2),
        effort=st.sampled_from(sorted(matching.EFFORT)),
        trust=st.floats(0, 1),
        gates=st.sets(st.sampled_from(["region", "mode", "certificate", "price"])).map(frozenset),
    ),
    unique_by=lambda c: c.key,
    max_size=12,
)
BUDGETS = st.none() | st.decimals(0, 10**6, places=2)
WEIGHTS = st.dictionaries(st.sampled_from(matching.PARTS), st.floats(0, 1), min_size=1).filter(
    lambda weights: sum(weights.values()) > 0.001
)


@given(CANDIDATES, BUDGETS, WEIGHTS)
def test_every_candidate_is_a_match_or_shut_out_by_a_gate(candidates, budget, weights):
    result = matching.match(candidates, budget=budget, weights=weights)
    keys = [m.candidate.key for m in result.matches] + list(result.shut_out)
    assert sorted(keys) == sorted(c.key for c in candidates)
    assert set(result.shut_out.values()) <= set(matching.GATES)
    for one in result.matches:
        assert "fails" not in one.candidate.fits
        assert all(0 <= part <= 1 for part in one.parts.values())
        assert -1e-9 <= one.score <= 1 + 1e-9
        if budget is not None:
            assert one.candidate.payable <= budget
    order = [(one.candidate.nearness < 1, -one.score) for one in result.matches]
    assert order == sorted(order)
    assert not any(one.labels for one in result.matches if one.candidate.nearness < 1)
    if any(one.candidate.nearness == 1 for one in result.matches):
        assert {x for m in result.matches for x in m.labels} >= {"soonest", "closest"}


@given(CANDIDATES, BUDGETS)
def test_the_order_of_the_candidates_does_not_matter(candidates, budget):
    forth = matching.match(candidates, budget=budget).matches
    back = matching.match(candidates[::-1], budget=budget).matches
    assert [m.candidate.key for m in forth] == [m.candidate.key for m in back]
    assert forth == back


@given(CANDIDATES, BUDGETS)
def test_starting_sooner_never_scores_less(candidates, budget):
    for one in matching.match(candidates, budget=budget).matches:
        sooner = matching.Candidate(**(vars(one.candidate) | {"days": max(0, one.candidate.days - 1)}))
        rest = [c for c in candidates if c.key != one.candidate.key]
        again = matching.match([*rest, sooner], budget=budget).matches
        score = next(m.score for m in again if m.candidate.key == sooner.key)
        assert score >= one.score - 1e-12
