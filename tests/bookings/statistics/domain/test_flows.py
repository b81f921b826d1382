"""Indices of the flows between regions, by hand and as properties."""

from hypothesis import given
from hypothesis import strategies as st

from bookings.record.domain.disclosure import hidden_groups
from bookings.statistics.domain.flows import by_region, concentration, location_quotient, pairs

MATRIX = {("A", "A"): 60, ("A", "B"): 30, ("B", "A"): 10, ("C", "A"): 30}


def test_by_region():
    told = by_region(MATRIX)
    a, b, c = told["A"], told["B"], told["C"]
    assert (a.used, a.hosted, a.openness, a.external_share) == (90, 100, "0.3333", "0.4000")
    assert (a.net, b.net, c.net) == (10, 20, -30)
    assert (c.openness, c.external_share) == ("1.0000", None)


def test_pairs():
    first, second = pairs(MATRIX)
    assert (first.first, first.second, first.there, first.back) == ("A", "B", 30, 10)
    assert first.reciprocity == "0.5000"  # 2 * 10 / 40
    assert (second.first, second.second, second.reciprocity) == ("A", "C", "0.0000")


def test_concentration_and_location():
    assert concentration([5]) == "1.0000"
    assert concentration([1, 1, 1, 1]) == "0.2500"
    assert concentration([]) is None
    assert location_quotient(2, 4, 4, 16) == "2.0000"
    assert location_quotient(0, 0, 4, 16) is None


regions = st.sampled_from("ABCD")
matrices = st.dictionaries(st.tuples(regions, regions), st.integers(1, 10**6))


@given(matrices)
def test_nothing_is_lost_between_regions(matrix):
    told = by_region(matrix).values()
    assert sum(t.net for t in told) == 0
    assert sum(t.used for t in told) == sum(t.hosted for t in told) == sum(matrix.values())
    assert all(0 <= float(pair.reciprocity) <= 1 for pair in pairs(matrix))


@given(st.dictionaries(st.integers(0, 20), st.integers(0, 8)), st.integers(1, 5))
def test_what_is_hidden_does_not_follow_from_the_rest(counts, least):
    hidden = hidden_groups(counts, least)
    assert {key for key, number in counts.items() if number < least} <= hidden
    assert len(hidden) != 1 or len(counts) == 1


def test_what_would_need_a_hidden_cell_is_hidden():
    matrix = {("a", "a"): 5, ("a", "b"): None, ("b", "a"): 3, ("b", "b"): 2, ("c", "c"): 1}
    told = by_region(matrix)
    assert (told["a"].used, told["a"].used_elsewhere, told["a"].openness) == (None, None, None)
    assert (told["a"].hosted, told["a"].hosted_for_others, told["a"].net) == (8, 3, None)
    assert told["a"].external_share == "0.3750"
    assert (told["b"].used, told["b"].hosted, told["b"].external_share) == (5, None, None)
    assert (told["c"].used, told["c"].openness, told["c"].net) == (1, "0.0000", 0)
    (pair,) = pairs(matrix)
    assert (pair.there, pair.back, pair.reciprocity) == (None, 3, None)
