"""Net the voucher claims in two directions between the same regions (docs/fees.md, "The ledger")."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Claim:
    """The sum that a payer's region owes another for vouchers in one currency, less payments."""

    currency: str
    payer: str
    host: str
    amount: Decimal


@dataclass(frozen=True)
class Net:
    """The claims between two regions in one currency; `amount` is what the first owes more than the second,
    below 0 if the second owes more."""

    currency: str
    first: str
    second: str
    claims: tuple[Claim, ...]

    @property
    def amount(self) -> Decimal:
        signed = (one.amount if one.payer == self.first else -one.amount for one in self.claims)
        return sum(signed, Decimal(0))


def nets(claims: Iterable[Claim]) -> list[Net]:
    """Return the claims of every two regions and currency with their difference, by currency and code."""
    pairs: dict[tuple[str, str, str], list[Claim]] = {}
    for one in claims:
        first, second = sorted((one.payer, one.host))
        pairs.setdefault((one.currency, first, second), []).append(one)
    return [Net(*key, tuple(pairs[key])) for key in sorted(pairs)]
