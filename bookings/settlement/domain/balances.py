"""Add up what two regions owed each other by the settlements of a year, and what is open (docs/fees.md)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from bookings.settlement.domain.statements import DRAWN_UP


@dataclass(frozen=True)
class Settled:
    """The amounts that the first and the second of two regions owe for vouchers by one settlement, and how
    much of the difference has been paid by the one that owes more."""

    first: str
    second: str
    currency: str
    first_owes: Decimal
    second_owes: Decimal
    paid: Decimal
    state: str


@dataclass(frozen=True)
class Balance:
    """The sums of two regions in one currency. `netted`: what both owed each other in the same months, which
    is set off within each settlement; what is open on the one side and on the other is not, as each month is
    settled by itself. What a side owed is what was netted, what it paid, and what it has still to pay.
    `unconfirmed`: how many of the settlements wait for a region's confirmation."""

    first: str
    second: str
    currency: str
    settlements: int = 0
    unconfirmed: int = 0
    first_owes: Decimal = Decimal(0)
    second_owes: Decimal = Decimal(0)
    netted: Decimal = Decimal(0)
    paid_by_first: Decimal = Decimal(0)
    paid_by_second: Decimal = Decimal(0)
    open_by_first: Decimal = Decimal(0)
    open_by_second: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        """Return what the first owed more than the second over the year; below 0 if the second owed more."""
        return self.first_owes - self.second_owes

    def with_settled(self, row: Settled) -> "Balance":
        """Return the sums with one settlement more."""
        net = row.first_owes - row.second_owes
        paid = (row.paid, Decimal(0)) if net >= 0 else (Decimal(0), row.paid)
        still = (max(net, Decimal(0)) - paid[0], max(-net, Decimal(0)) - paid[1])
        return replace(
            self,
            settlements=self.settlements + 1,
            unconfirmed=self.unconfirmed + (row.state == DRAWN_UP),
            first_owes=self.first_owes + row.first_owes,
            second_owes=self.second_owes + row.second_owes,
            netted=self.netted + min(row.first_owes, row.second_owes),
            paid_by_first=self.paid_by_first + paid[0],
            paid_by_second=self.paid_by_second + paid[1],
            open_by_first=self.open_by_first + still[0],
            open_by_second=self.open_by_second + still[1],
        )


def balances(rows: Iterable[Settled]) -> list[Balance]:
    """Return the balance of every two regions and currency, in the order of their codes."""
    sums: dict[tuple[str, str, str], Balance] = {}
    for row in rows:
        key = (row.first, row.second, row.currency)
        sums[key] = sums.get(key, Balance(*key)).with_settled(row)
    return [sums[key] for key in sorted(sums)]
