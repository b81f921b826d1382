"""Decide which figures may be public, so that none reveals what a single organisation did."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any


def hidden_groups[Key: Hashable](organisations: Mapping[Key, int], least: int) -> set[Key]:
    """Return the groups to hide, given the number of organisations behind each: those with fewer than
    `least`; if that is only one group, also the next smallest, since the one would follow from the total."""
    hidden = {key for key, number in organisations.items() if number < least}
    shown = [key for key in organisations if key not in hidden]
    if len(hidden) == 1 and shown:
        hidden.add(min(shown, key=lambda key: (organisations[key], str(key))))
    return hidden


def hidden_rows[Key: tuple[Any, ...]](organisations: Mapping[Key, int], least: int) -> set[Key]:
    """Return the rows to hide; each is named by one key (as in `hidden_groups`) or by a pair (as in
    `hidden_cells`)."""
    if all(len(key) == 2 for key in organisations):
        return hidden_cells(organisations, least)
    return hidden_groups(organisations, least)


def hidden_cells[Cell: tuple[Any, ...]](
    organisations: Mapping[Cell, int], least: int, readers: Iterable[Set[Cell]] = ()
) -> set[Cell]:
    """Return the cells (row, column) of a table to hide, given the number of organisations behind each: those
    with fewer than `least`, and as many others as needed so that none follows from the sums of rows and
    columns, which may be known from elsewhere.

    `readers`: the cells that some kinds of reader see regardless. All other hidden cells are hidden from
    everybody, so that no reader learns anything from what others are shown.
    """
    hidden = {cell for cell, number in organisations.items() if number < least}
    shown = sorted(
        (cell for cell in organisations if cell not in hidden),
        key=lambda cell: (organisations[cell], str(cell)),
    )
    kinds, number = [frozenset[Cell](), *readers], -1
    while len(hidden) != number:
        number = len(hidden)
        for seen in kinds:
            while found := deducible(unknown := hidden - seen):
                left = [other for other in shown if other not in hidden and other not in seen]
                if not left:
                    break
                hidden.add(_beside(found[0], left, unknown))
    return hidden


def _beside[Cell: tuple[Any, ...]](cell: Cell, left: Sequence[Cell], unknown: Set[Cell]) -> Cell:
    """Return the best cell of `left` to hide next: preferably one in a row and in a column that have exactly
    one unknown cell, then one in either, then one in the row or column of `cell`."""
    rows, columns = (Counter(each[side] for each in unknown) for side in (0, 1))

    def order(other: Cell) -> tuple[int, bool]:
        alone = (rows[other[0]] == 1) + (columns[other[1]] == 1)
        return -alone, other[0] != cell[0] and other[1] != cell[1]

    return min(left, key=order)


def deducible[Cell: tuple[Any, ...]](unknown: Set[Cell]) -> list[Cell]:
    """Return the unknown cells of a table that follow from the sums of its rows and columns and all other
    cells. In the graph whose points are rows and columns and whose edges are unknown cells, these are the
    bridges."""
    lines: dict[Hashable, list[tuple[Hashable, Cell]]] = {}
    for cell in sorted(unknown, key=str):
        row, column = ("row", cell[0]), ("column", cell[1])
        lines.setdefault(row, []).append((column, cell))
        lines.setdefault(column, []).append((row, cell))
    found: list[Cell] = []
    reached: dict[Hashable, int] = {}  # when a point was first reached
    lowest: dict[Hashable, int] = {}  # the first point that can be reached from it another way
    for start in lines:
        if start in reached:
            continue
        reached[start] = lowest[start] = len(reached)
        path: list[tuple[Hashable, Cell | None, Iterator[tuple[Hashable, Cell]]]]
        path = [(start, None, iter(lines[start]))]
        while path:
            point, came, ahead = path[-1]
            for other, cell in ahead:
                if cell == came:
                    continue
                if other not in reached:
                    reached[other] = lowest[other] = len(reached)
                    path.append((other, cell, iter(lines[other])))
                    break
                lowest[point] = min(lowest[point], reached[other])
            else:
                path.pop()
                if path and came is not None:
                    before = path[-1][0]
                    lowest[before] = min(lowest[before], lowest[point])
                    if lowest[point] > reached[before]:
                        found.append(came)
    return found
