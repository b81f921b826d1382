"""Spare hours, colours, and which cells of the map are hidden."""

from hypothesis import given
from hypothesis import strategies as st

from bookings.planning.domain.map import LEVELS, formula_on, hidden_cells, level, spare


def test_spare_is_85_percent_of_open_less_used():
    assert spare(120_000, 60_000) == 42_000
    assert spare(101, 0) == 85  # 85.85, whole minutes
    assert spare(60_000, 59_000) == 0


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_spare_is_never_less_than_none(opened, used):
    assert 0 <= spare(opened, used) <= opened


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_level_is_none_just_if_there_is_nothing(minutes, more):
    most = minutes + more
    assert (level(minutes, most) == 0) is (minutes == 0)
    assert level(minutes, most) <= LEVELS
    assert not most or level(most, most) == LEVELS


def test_a_formula_holds_for_the_years_from_its_day_on():
    assert formula_on(2026).number == formula_on(1999).number == 1


def test_few_organisations_hide_a_cell_and_the_next_smallest_of_its_class():
    behind = {("tem", "a"): 2, ("tem", "b"): 5, ("tem", "c"): 4}
    assert hidden_cells(behind, {}, set(), 3) == ({("tem", "a"), ("tem", "c")}, set())


def test_where_there_is_no_other_the_sum_is_hidden():
    assert hidden_cells({("tem", "a"): 2, ("tem", "own"): 1}, {}, {"own"}, 3) == ({("tem", "a")}, {"tem"})


def test_narrower_classes_do_not_tell_what_the_broader_one_less_the_others_is():
    behind = {("em", "a"): 9, ("em", "b"): 9, ("tem", "a"): 2, ("sem", "a"): 7, ("sem", "b"): 8}
    hidden, sums = hidden_cells(behind, {"em": ["sem", "tem"]}, set(), 3)
    assert {("tem", "a"), ("sem", "a")} <= hidden
    assert ("sem", "b") in hidden  # else the sum of `sem` would tell
    assert "tem" in sums


def test_what_one_reads_oneself_is_never_hidden():
    behind = {("tem", "a"): 1, ("tem", "b"): 1}
    assert hidden_cells(behind, {}, {"a", "b"}, 3) == (set(), set())


CODES = st.sampled_from(["em", "tem", "sem", "cryo"])
TREE = {"em": ["sem", "tem"], "tem": ["cryo"]}


@given(st.dictionaries(st.tuples(CODES, st.sampled_from("abcd")), st.integers(1, 6)))
def test_none_follows_from_the_others(behind):
    hidden, sums = hidden_cells(behind, TREE, {"d"}, 3)
    closed = {cell: n for cell, n in behind.items() if cell[1] != "d"}
    assert hidden <= set(closed)
    assert {cell for cell, n in closed.items() if n < 3} <= hidden
    for code in {code for code, _ in closed}:
        alone = [cell for cell in closed if cell[0] == code and cell in hidden]
        assert code in sums or len(alone) != 1
    for parent, children in TREE.items():
        for region in "abc":
            cells = [(each, region) for each in children if (each, region) in closed]
            if (parent, region) in hidden:
                assert set(cells) <= hidden
            elif len(cells) > 1:
                assert sum(cell in hidden for cell in cells) != 1
