"""The planning map: the instruments of each class in each region, how much they are used, the unmet demand,
and what is planned (docs/planning.md).

Figures are whole minutes of a year. A class includes its narrower classes.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import date

from bookings.hours.domain.hours import Definitions

# Add a new version with its first day; a year keeps the one in force on its last day.
FORMULAS = (Definitions(1, date(2025, 1, 1)),)
USABLE_PERCENT = 85  # percent of an instrument's open hours that can be used
LEVELS = 4  # of colour

type Cell = tuple[str, str]  # codes of a class and a region
type Tree = Mapping[str, Collection[str]]  # the narrower classes of each


@dataclass(frozen=True)
class Supply:
    """The instruments of a class in a region. hosts: number of organisations that own them; year: the median
    of the years in which they were put to use, or bought, None if no record says; spare: the minutes still
    usable, summed over the instruments."""

    instruments: int = 0
    hosts: int = 0
    open_minutes: int = 0
    effective_minutes: int = 0
    spare_minutes: int = 0
    year: int | None = None


@dataclass(frozen=True)
class Demand:
    """The unmet demand of a region's people for a class: minutes, and how many times they were refused,
    waited without an offer, or searched without a result; payers: number of organisations they belong to."""

    payers: int = 0
    minutes: int = 0
    refused: int = 0
    waited: int = 0
    searched: int = 0

    @property
    def times(self) -> int:
        return self.refused + self.waited + self.searched


def formula_on(year: int) -> Definitions:
    """Return the definitions in force on the last day of a year; for years before all of them, the first."""
    in_force = [version for version in FORMULAS if version.since <= date(year, 12, 31)]
    return in_force[-1] if in_force else FORMULAS[0]


def spare(open_minutes: int, effective_minutes: int) -> int:
    """Return the minutes of one instrument that could still be used: 85 % of its open minutes (rounded down),
    less those used; never below 0."""
    return max(0, open_minutes * USABLE_PERCENT // 100 - effective_minutes)


def level(minutes: int, most: int) -> int:
    """Return how strongly a cell is coloured, from 0 (none) to `LEVELS`, relative to the largest value of the
    same map; anything above 0 gets at least 1."""
    return -(-minutes * LEVELS // most) if minutes > 0 else 0


def hidden_cells(
    behind: Mapping[Cell, int], tree: Tree, open_regions: Set[str], least: int
) -> tuple[set[Cell], set[str]]:
    """Return the hidden cells, and the classes whose sum over all regions is hidden.

    `behind`: the number of organisations behind each cell. Cells with fewer than `least` are hidden, except
    those of `open_regions`. If that hides only one cell of a class, or of the narrower classes of one shown
    in the same region, its value would follow from the sum: then the next smallest is hidden too, or the sum
    if there is no other. All classes narrower than a hidden one are hidden.
    """
    closed = {cell: number for cell, number in behind.items() if cell[1] not in open_regions}
    hidden = {cell for cell, number in closed.items() if number < least}
    if not hidden:
        return set(), set()
    rows: dict[str, list[Cell]] = defaultdict(list)
    for cell in closed:
        rows[cell[0]].append(cell)
    regions = sorted({region for _, region in closed})
    groups = [
        ((parent, region), cells)
        for parent, children in tree.items()
        for region in regions
        if (cells := [(child, region) for child in sorted(children) if (child, region) in closed])
    ]
    sums: set[str] = set()
    while True:
        before = len(hidden), len(sums)
        for name, cells in rows.items():
            if name not in sums and not _hide_another(cells, closed, hidden):
                sums.add(name)
        for whole, cells in groups:
            if whole in hidden:
                hidden.update(cells)
            else:
                _hide_another(cells, closed, hidden)
        if (len(hidden), len(sums)) == before:
            return hidden, sums


def _hide_another(cells: Collection[Cell], behind: Mapping[Cell, int], hidden: set[Cell]) -> bool:
    """Hide the smallest other cell if exactly one of the cells is hidden. Return False if there is no
    other."""
    if sum(cell in hidden for cell in cells) != 1:
        return True
    shown = [cell for cell in cells if cell not in hidden]
    if not shown:
        return False
    hidden.add(min(shown, key=lambda cell: (behind[cell], cell)))
    return True
