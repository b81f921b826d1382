"""Which voucher covers how much of a booking (docs/fees.md, step 7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bookings.domain.money import percentage


@dataclass(frozen=True)
class GrantValues:
    """One grant of the payer that may be used for the booking at hand.

    The selector has already left out those that are not open on the booking's local start
    date, are in another currency, or whose programme does not serve this host and payer.
    `cap_per_booking` (None: no cap) and `remaining` are amounts in the card's currency, at its
    minor unit; `remaining` is what is neither earmarked nor redeemed. `expires` None: never.
    """

    code: str
    percent: Decimal
    cap_per_booking: Decimal | None
    remaining: Decimal
    expires: date | None


def cover(grant: GrantValues, eligible: Decimal, currency: str) -> Decimal:
    """min(round(percent x eligible), cap per booking, what is left), never below 0."""
    amounts = [percentage(grant.percent, eligible, currency), grant.remaining]
    if grant.cap_per_booking is not None:
        amounts.append(grant.cap_per_booking)
    return max(Decimal(0), min(amounts))


def best_cover(
    grants: Iterable[GrantValues], eligible: Decimal, currency: str
) -> tuple[str | None, Decimal]:
    """The code of the one grant that pays, and the amount; (None, 0) if none covers anything.

    One cost is never paid by two vouchers: the grant that covers most wins; of equals the one
    that expires first (never is last), then the lower code.
    """
    offers = [
        (amount.copy_negate(), grant.expires or date.max, grant.code)
        for grant in grants
        if (amount := cover(grant, eligible, currency)) > 0
    ]
    if not offers:
        return None, Decimal(0)
    amount, _, code = min(offers)
    return code, amount.copy_abs()
