"""Compute what past bookings would have cost under another rate card (docs/fees.md, "What if").

Each is priced by the same rule and from the same inputs as before; only the card is another. The comparison
is with what was charged, with tax and before vouchers; a cancellation that was free counts as 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.errors import Invalid
from bookings.pricing.domain.charges import Ending, charge
from bookings.pricing.domain.fees import GroupNotServed, taxed_for
from bookings.pricing.domain.quotes import input_from_json
from bookings.record.domain.money import percentage
from instruments.rates.domain.ratecards import PRICE_GROUPS, RateCardValues

ANOTHER_CURRENCY = "another-currency"
NOT_SERVED = "audience-not-served"
NO_TIMES = "no-usage-times"
UNREADABLE = "inputs-unreadable"


@dataclass(frozen=True)
class Past:
    """A booking that ended: how it was charged (`total` 0: not at all), and from which inputs.

    `inputs` are those of its quote; if `is_of_use`, those of the period that was charged.
    """

    organisation_id: UUID
    inputs: Mapping[str, Any]
    currency: str
    total: Decimal
    reserved: tuple[datetime, datetime]
    ending: Ending
    is_of_use: bool
    waive_percent: Decimal = Decimal(0)  # what a correction took off, before tax


def reprice(past: Past, card: RateCardValues) -> Decimal | str:
    """Return what the booking would have cost under the card, or a code that says why this cannot be
    computed. If payer and host were one legal person, or the payer owed the tax, there is none, unless the
    booking was charged with tax before."""
    if past.currency != card.currency:
        return ANOTHER_CURRENCY
    try:
        if not Decimal(past.inputs["card"].get("tax_percent", "0")):
            is_reversed = past.inputs.get("reverse_charge", False)
            card = taxed_for(card, past.inputs["price_group"], is_reversed=is_reversed)
        given = replace(input_from_json(past.inputs, card), grants=())
    except (KeyError, ValueError):
        return UNREADABLE
    ending = past.ending
    was_by = past.inputs["card"].get("charge_basis", "reserved")
    if past.is_of_use and (given.cut_at is not None or was_by == card.charge_basis):
        # The period that was charged, whatever it was based on.
        ending = replace(ending, usage=(given.start, given.end))
    elif past.is_of_use:
        given = replace(given, start=past.reserved[0], end=past.reserved[1])
    try:
        due = charge(given, ending)
    except GroupNotServed:
        return NOT_SERVED
    except Invalid as unclear:
        return unclear.problems[0].code
    if due is None:
        return NO_TIMES if ending.state == "completed" else Decimal(0)
    if not past.waive_percent:
        return due.total
    net = due.total - due.tax
    net -= percentage(past.waive_percent, net, card.currency)
    return net + percentage(card.tax_percent, net, card.currency)


@dataclass
class Sums:
    """The number of bookings, what they cost and would have cost, and how many would have paid more or
    less."""

    bookings: int = 0
    old: Decimal = Decimal(0)
    new: Decimal = Decimal(0)
    more: int = 0
    less: int = 0

    def add(self, old: Decimal, new: Decimal) -> None:
        self.bookings += 1
        self.old += old
        self.new += new
        self.more += new > old
        self.less += new < old

    @property
    def difference(self) -> Decimal:
        return self.new - self.old

    @property
    def same(self) -> int:
        return self.bookings - self.more - self.less

    @property
    def percent(self) -> Decimal | None:
        """Return the difference in percent of what was paid; None if nothing was paid."""
        return self.difference / self.old * 100 if self.old else None


@dataclass
class Comparison:
    """Past bookings priced by a card: in all, by price group and by payer. `left_out`: how many could not be
    compared, by the code of the reason."""

    card: RateCardValues
    whole: Sums = field(default_factory=Sums)
    groups: dict[str, Sums] = field(default_factory=dict)
    organisations: dict[UUID, Sums] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    seen: int = 0

    def add(self, past: Past) -> None:
        self.seen += 1
        new = reprice(past, self.card)
        if isinstance(new, str):
            self.left_out[new] = self.left_out.get(new, 0) + 1
            return
        if not past.total and not new:
            return  # it was free and would be free: it is on nobody's bill
        group = past.inputs["price_group"]
        for sums in (
            self.whole,
            self.groups.setdefault(group, Sums()),
            self.organisations.setdefault(past.organisation_id, Sums()),
        ):
            sums.add(past.total, new)

    def by_group(self) -> list[tuple[str, Sums]]:
        return [(group, self.groups[group]) for group in PRICE_GROUPS if group in self.groups]

    def by_organisation(self) -> list[tuple[UUID, Sums]]:
        """Return the sums by payer, from the one who would pay most more to the one who would save most."""
        return sorted(self.organisations.items(), key=lambda item: (-item[1].difference, item[0]))
