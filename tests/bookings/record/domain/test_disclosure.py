"""What is hidden cannot be found out: not from sums, not from what others are shown."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bookings.record.domain.disclosure import deducible, hidden_cells

tables = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), st.integers(1, 6), min_size=1
)


def solved(unknown):
    """The cells that the sums of rows and columns determine, by elimination: those alone in a row
    of the reduced matrix. It shares nothing with `deducible`."""
    cells = sorted(unknown)
    rows = [
        [Fraction(cell[side] == name) for cell in cells]
        for side in (0, 1)
        for name in sorted({cell[side] for cell in cells})
    ]
    done = 0
    for n in range(len(cells)):
        pivot = next((r for r in range(done, len(rows)) if rows[r][n]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        rows[done] = [value / rows[done][n] for value in rows[done]]
        for r in range(len(rows)):
            if r != done and rows[r][n]:
                rows[r] = [a - rows[r][n] * b for a, b in zip(rows[r], rows[done], strict=True)]
        done += 1
    alone = [row for row in rows if sum(map(bool, row)) == 1]
    return {cells[next(n for n, value in enumerate(row) if value)] for row in alone}


def test_one_hidden_in_a_row_and_a_column_takes_three_others():
    counts = {(row, column): 5 for row in "abc" for column in "abc"} | {("a", "a"): 1}
    assert len(hidden_cells(counts, 3)) == 4
    assert solved(hidden_cells(counts, 3)) == set()


def test_two_circles_with_a_bridge():
    left = {("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")}
    right = {("c", "c"), ("c", "d"), ("d", "c"), ("d", "d")}
    assert deducible(left | right) == []
    assert deducible(left | right | {("a", "c")}) == [("a", "c")]


def test_where_there_is_nothing_else_nothing_else_is_hidden():
    assert hidden_cells({("a", "a"): 1}, 3) == {("a", "a")}
    assert hidden_cells({("a", "a"): 3}, 3) == set()
    assert hidden_cells({}, 3) == set()


@given(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"))))
def test_deducible_is_what_the_equations_determine(unknown):
    assert set(deducible(unknown)) == solved(unknown)


@given(tables, st.integers(1, 4), st.lists(st.sets(st.sampled_from("abcd")), max_size=2))
def test_no_reader_finds_out_a_hidden_cell(counts, least, regions):
    """Each reader sees cells of some regions, and whatever everybody else sees."""
    readers = [{cell for cell in counts if own & set(cell)} for own in regions]
    hidden = hidden_cells(counts, least, readers)
    assert {cell for cell, number in counts.items() if number < least} <= hidden <= set(counts)
    assert hidden_cells(counts, least, readers) == hidden
    for seen in [set(), *readers]:
        unknown = hidden - seen
        if solved(unknown):  # all that could hide it is hidden: sums over it are not told, either
            assert set(counts) - seen == unknown
