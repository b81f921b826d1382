"""Decide which voucher covers how much of a booking (docs/fees.md, step 7)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from bookings.record.domain.money import percentage


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


@dataclass(frozen=True)
class GrantOffer:
    """A grant of one payer with the terms of its programme.

    `remaining` is neither reserved nor redeemed; the grant counts on the local days [`valid_from`,
    `valid_until`), both its own and its programme's; empty `host_regions` mean every region.
    """

    id: UUID
    code: str
    percent: Decimal
    cap_per_booking: Decimal | None
    currency: str
    remaining: Decimal
    valid_from: date
    valid_until: date | None
    host_regions: frozenset[UUID] = frozenset()
    region: UUID | None = None  # the region whose payers it serves; None: any
    is_open: bool = True  # it and its programme are not suspended, and the payer's kind is served
    name: str = ""  # of its programme: what people call it
    name_zh: str = ""


@dataclass(frozen=True)
class Use:
    """A possible use of a payer's grant. `host_regions`: the host's region and all above it; `payer_region`:
    the payer's region on that day; `is_honoured`: within the payer's own region, or by an agreement in
    force."""

    day: date
    currency: str
    host_regions: frozenset[UUID]
    is_honoured: bool
    payer_region: UUID | None = None


def serves_kind(kinds: Collection[str], is_for_small_only: bool, *, kind: str, is_small: bool) -> bool:
    """Say whether a programme serves payers of a kind; it may serve only small ones among enterprises."""
    if kinds and kind not in kinds:
        return False
    return is_small or not is_for_small_only or kind != "enterprise"


def usable(offers: Iterable[GrantOffer], use: Use) -> tuple[GrantValues, ...]:
    """Return the grants that may pay for a use, by code (docs/fees.md, step 7)."""
    return tuple(
        _values(offer) for offer in sorted(offers, key=lambda each: each.code) if not why_unusable(offer, use)
    )


def _values(offer: GrantOffer) -> GrantValues:
    return GrantValues(
        code=offer.code,
        percent=offer.percent,
        cap_per_booking=offer.cap_per_booking,
        remaining=offer.remaining,
        expires=offer.valid_until - timedelta(days=1) if offer.valid_until else None,
    )


def why_unusable(offer: GrantOffer, use: Use) -> str:
    """Return the first reason why a grant cannot pay for a use; empty if it can: `suspended` (or not for this
    payer), `used-up`, `other-currency`, `not-yet`, `expired`, `moved-away` (the payer has left the
    programme's region by then), `other-host` (its programme does not serve the host's region) or
    `not-honoured`."""
    reasons = (
        ("suspended", not offer.is_open),
        ("not-yet", use.day < offer.valid_from),
        ("expired", offer.valid_until is not None and use.day >= offer.valid_until),
        ("used-up", offer.remaining <= 0),
        ("other-currency", offer.currency != use.currency),
        ("moved-away", offer.region is not None and offer.region != use.payer_region),
        ("other-host", bool(offer.host_regions) and not offer.host_regions & use.host_regions),
        ("not-honoured", not use.is_honoured),
    )
    return next((code for code, applies in reasons if applies), "")


@dataclass(frozen=True)
class Considered:
    """A grant of the payer as considered for a booking: the amount it would cover, or the reason why it
    cannot. `left` is what it would have left afterwards."""

    offer: GrantOffer
    covers: Decimal
    why_not: str
    is_chosen: bool

    @property
    def left(self) -> Decimal:
        return self.offer.remaining - (self.covers if self.is_chosen else 0)


def considered(offers: Iterable[GrantOffer], use: Use, eligible: Decimal) -> tuple[Considered, ...]:
    """Return all grants of a payer, first the one that would pay, then the others by the amount they would
    cover."""
    known = list(offers)
    chosen, _ = best_cover(usable(known, use), eligible, use.currency)
    rows = []
    for offer in known:
        why_not = why_unusable(offer, use)
        covers = Decimal(0) if why_not else cover(_values(offer), eligible, use.currency)
        rows.append(Considered(offer, covers, why_not, offer.code == chosen))
    return tuple(sorted(rows, key=lambda each: (not each.is_chosen, -each.covers, each.offer.code)))


def cover(grant: GrantValues, eligible: Decimal, currency: str) -> Decimal:
    """Return min(round(percent x eligible), cap per booking, what is left), never below 0."""
    amounts = [percentage(grant.percent, eligible, currency), grant.remaining]
    if grant.cap_per_booking is not None:
        amounts.append(grant.cap_per_booking)
    return max(Decimal(0), min(amounts))


def best_cover(grants: Iterable[GrantValues], eligible: Decimal, currency: str) -> tuple[str | None, Decimal]:
    """Return the code of the one grant that pays, and the amount; (None, 0) if none covers anything.

    One cost is never paid by two vouchers: the grant that covers most is used; of equals the one that expires
    first (one that never expires is last), then the lower code.
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
