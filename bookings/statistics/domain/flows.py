"""Use between regions: who used how much where, and the figures that follow.

F[i, j] is the use by payers of region i at hosts of region j: minutes, money, sessions or people. Ratios are
decimal fractions with four places, None if the denominator is 0. A hidden cell is None, and so is every sum
and ratio that would need it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

type Value = Decimal | int | None  # None: hidden, and so is whatever needs it
type Matrix = Mapping[tuple[str, str], Value]  # (payer's region, host's region)


@dataclass(frozen=True)
class RegionFlows:
    """The flows of one region: what its payers used in all and elsewhere, what its hosts gave in all and to
    others. The net balance is what it gave to others less what it used elsewhere."""

    used: Value
    used_elsewhere: Value
    hosted: Value
    hosted_for_others: Value

    @property
    def openness(self) -> str | None:
        """Return the openness of the region: 1 - F[i,i] / row sum."""
        return fraction(self.used_elsewhere, self.used)

    @property
    def external_share(self) -> str | None:
        """Return the external share of the region: 1 - F[j,j] / column sum."""
        return fraction(self.hosted_for_others, self.hosted)

    @property
    def net(self) -> Value:
        if self.hosted_for_others is None or self.used_elsewhere is None:
            return None
        return self.hosted_for_others - self.used_elsewhere


@dataclass(frozen=True)
class PairFlows:
    """Flows between two regions, in both directions."""

    first: str
    second: str
    there: Value  # what the first's payers used at the second
    back: Value

    @property
    def reciprocity(self) -> str | None:
        """Return the reciprocity of the two regions: 2 min(Fij, Fji) / (Fij + Fji)."""
        if self.there is None or self.back is None:
            return None
        return fraction(2 * min(self.there, self.back), self.there + self.back)


def by_region(matrix: Matrix) -> dict[str, RegionFlows]:
    """Return the flows of every region in the matrix, in the order of their codes."""
    parts: dict[str, tuple[list[Value], ...]] = defaultdict(lambda: ([], [], [], []))
    for (payer, host), value in matrix.items():
        parts[payer][0].append(value)
        parts[host][2].append(value)
        if payer != host:
            parts[payer][1].append(value)
            parts[host][3].append(value)
    return {code: RegionFlows(*map(_sum, parts[code])) for code in sorted(parts)}


def _sum(values: Iterable[Value]) -> Value:
    total: Decimal | int = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def pairs(matrix: Matrix) -> list[PairFlows]:
    """Return every two regions between which anything flowed, in the order of their codes."""
    linked = sorted({(min(pair), max(pair)) for pair in matrix if pair[0] != pair[1]})
    return [
        PairFlows(one, other, matrix.get((one, other), 0), matrix.get((other, one), 0))
        for one, other in linked
    ]


def concentration(counts: Iterable[int]) -> str | None:
    """Return the Herfindahl-Hirschman index of a distribution: the sum of squared shares, from near 0 (spread
    evenly over many) to 1 (all in one place)."""
    numbers = list(counts)
    return fraction(sum(n * n for n in numbers), sum(numbers) ** 2)


def location_quotient(here: int, all_here: int, everywhere: int, all_everywhere: int) -> str | None:
    """Return the location quotient of a technique: its share of the region's instruments relative to its
    share of all regions' instruments. Above 1 it is concentrated there."""
    return fraction(here * all_everywhere, all_here * everywhere)


def fraction(part: Value, whole: Value) -> str | None:
    if part is None or not whole:
        return None
    return str((Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP))
