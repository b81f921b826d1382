"""The planning map: what there is of each class of instrument in each region, how much of it is
used, what was wanted in vain, and what is planned (docs/planning.md).

Figures are whole minutes of a year. A class counts what is narrower as well.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import date

from bookings.hours.domain.hours import Definitions

# A new version is added with its day; a year keeps the one in force on its last day.
FORMULAS = (Definitions(1, date(2025, 1, 1)),)
USABLE_PERCENT = 85  # of the open hours of an instrument can be used
LEVELS = 4  # of colour

type Cell = tuple[str, str]  # codes of a class and a region
type Tree = Mapping[str, Collection[str]]  # the narrower classes of each


@dataclass(frozen=True)
class Supply:
    """Instruments of a class in a region. hosts: organisations they belong to; year: the median of
    those in which they were put to use, or bought, None where no record says; spare: what could
    still be used of each, added up."""

    instruments: int = 0
    hosts: int = 0
    open_minutes: int = 0
    effective_minutes: int = 0
    spare_minutes: int = 0
    year: int | None = None


@dataclass(frozen=True)
class Demand:
    """What people of a region wanted of a class and could not have: minutes, and how many times
    they were refused, waited in vain, searched without an answer; payers: organisations they
    belong to."""

    payers: int = 0
    minutes: int = 0
    refused: int = 0
    waited: int = 0
    searched: int = 0

    @property
    def times(self) -> int:
        return self.refused + self.waited + self.searched


def formula_on(year: int) -> Definitions:
    """Return the version in force on the last day of a year; of years before all, the first."""
    in_force = [version for version in FORMULAS if version.since <= date(year, 12, 31)]
    return in_force[-1] if in_force else FORMULAS[0]


def spare(open_minutes: int, effective_minutes: int) -> int:
    """Return what could still be used of one instrument: 85 % of its open minutes (whole ones),
    less those used; never less than none."""
    return max(0, open_minutes * USABLE_PERCENT // 100 - effective_minutes)


def level(minutes: int, most: int) -> int:
    """Return how strongly a cell is coloured, from 0 (none) to `LEVELS`, against the largest of the
    same map; what is there at all has the first at least."""
    return -(-minutes * LEVELS // most) if minutes > 0 else 0


def hidden_cells(
    behind: Mapping[Cell, int], tree: Tree, open_regions: Set[str], least: int
) -> tuple[set[Cell], set[str]]:
    """Return the cells that are hidden, and the classes whose sum over all regions is.

    `behind`: how many organisations stand behind each cell. Cells of `open_regions` are never
    hidden. Hidden are those behind which fewer than `least` stand. Where that is only one of a
    class, or of the narrower classes of one that is shown in the same region, it would follow from
    their sum: the next smallest is hidden too, or the sum, where there is no other. Below what is
    hidden everything is.
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
    """Hide the smallest that is shown where only one is hidden; whether that could be done, or was
    not needed."""
    if sum(cell in hidden for cell in cells) != 1:
        return True
    shown = [cell for cell in cells if cell not in hidden]
    if not shown:
        return False
    hidden.add(min(shown, key=lambda cell: (behind[cell], cell)))
    return True
