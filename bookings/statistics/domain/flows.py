"""Use between regions: who used what where, and what follows from it.

F[i, j] is what payers of region i used at hosts of region j: minutes, money, sessions or people.
Ratios are decimal fractions with four places, None where the denominator is 0.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

type Matrix = Mapping[tuple[str, str], Decimal | int]  # (payer's region, host's region)


@dataclass(frozen=True)
class RegionFlows:
    """Of one region: what its payers used anywhere and elsewhere, what its hosts gave to anybody
    and to others. Net balance: given to others less used elsewhere."""

    used: Decimal | int
    used_elsewhere: Decimal | int
    hosted: Decimal | int
    hosted_for_others: Decimal | int

    @property
    def openness(self) -> str | None:
        """1 - F[i,i] / row sum."""
        return fraction(self.used_elsewhere, self.used)

    @property
    def external_share(self) -> str | None:
        """1 - F[j,j] / column sum."""
        return fraction(self.hosted_for_others, self.hosted)

    @property
    def net(self) -> Decimal | int:
        return self.hosted_for_others - self.used_elsewhere


@dataclass(frozen=True)
class PairFlows:
    """Between two regions, in both directions."""

    first: str
    second: str
    there: Decimal | int  # what the first's payers used at the second
    back: Decimal | int

    @property
    def reciprocity(self) -> str | None:
        """2 min(Fij, Fji) / (Fij + Fji)."""
        return fraction(2 * min(self.there, self.back), self.there + self.back)


def by_region(matrix: Matrix) -> dict[str, RegionFlows]:
    """Return the flows of every region in the matrix, in the order of their codes."""
    used: dict[str, Decimal | int] = defaultdict(int)
    elsewhere: dict[str, Decimal | int] = defaultdict(int)
    hosted: dict[str, Decimal | int] = defaultdict(int)
    others: dict[str, Decimal | int] = defaultdict(int)
    for (payer, host), value in matrix.items():
        used[payer] += value
        hosted[host] += value
        if payer != host:
            elsewhere[payer] += value
            others[host] += value
    return {
        code: RegionFlows(used[code], elsewhere[code], hosted[code], others[code])
        for code in sorted({*used, *hosted})
    }


def pairs(matrix: Matrix) -> list[PairFlows]:
    """Every two regions between which anything flowed, in the order of their codes."""
    linked = sorted({(min(pair), max(pair)) for pair in matrix if pair[0] != pair[1]})
    return [
        PairFlows(one, other, matrix.get((one, other), 0), matrix.get((other, one), 0))
        for one, other in linked
    ]


def concentration(counts: Iterable[int]) -> str | None:
    """The Herfindahl-Hirschman index of a distribution: the sum of squared shares, from near 0
    (spread evenly over many) to 1 (all in one place)."""
    numbers = list(counts)
    return fraction(sum(n * n for n in numbers), sum(numbers) ** 2)


def location_quotient(here: int, all_here: int, everywhere: int, all_everywhere: int) -> str | None:
    """How much more of a region's instruments are of a technique than of all regions': above 1
    it is concentrated there."""
    return fraction(here * all_everywhere, all_here * everywhere)


def fraction(part: Decimal | int, whole: Decimal | int) -> str | None:
    if not whole:
        return None
    return str((Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP))
