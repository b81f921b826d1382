"""Load the sources that would pay for bookings, and what they have left."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from bookings.funding.domain import funding as funding_rules
from bookings.funding.models import Earmark, FundingSource
from bookings.pricing.models import ExchangeRate
from bookings.record.domain.refusals import Refusal
from bookings.record.locks import locked


class Funding:
    """The sources that pay, by percent, for several bookings one after the other: what `take` subtracts is no
    longer available for the next. Exchange rates are looked up when first needed, one statement for each
    currency of prices."""

    def __init__(
        self,
        payer_id: UUID | None,
        shares: Sequence[funding_rules.Share],
        purses: dict[str, funding_rules.Purse],
        today: date,
    ) -> None:
        self.shares = tuple(shares)
        self._payer_id, self._purses, self._today = payer_id, purses, today
        self._rates: dict[str, dict[str, Decimal]] = {}

    def __bool__(self) -> bool:
        return bool(self.shares)

    def keep_rates(self, base: str, rates: dict[str, Decimal]) -> None:
        """Use the rates a booking was made with, instead of today's."""
        self._rates[base] = rates

    def parts(self, quote: funding_rules.Cost) -> tuple[funding_rules.SourceShare, ...]:
        """Return the part of a price that each source would pay."""
        if not self.shares or self._payer_id is None:
            return ()
        base = quote.currency
        if base not in self._rates:
            currencies = {purse.currency for purse in self._purses.values()}
            self._rates[base] = load_rates(self._payer_id, base, currencies, self._today)
        return funding_rules.parts_of(self.shares, self._purses, self._rates[base], quote.payable, base)

    def refusals(self, quote: funding_rules.Cost, day: date | None) -> tuple[Refusal, ...]:
        """Return why the sources would not pay for a booking that starts on a local day (`refuse_parts`)."""
        return funding_rules.refuse_parts(self.parts(quote), quote.currency, day)

    def take(self, quote: funding_rules.Cost) -> None:
        """Subtract what a booking costs, so that bookings priced later find only what is left."""
        for part in self.parts(quote):
            self._purses[part.purse.code] = replace(part.purse, left=part.left)


NO_FUNDING = Funding(None, (), {}, date.min)


def load_funding(
    payer_id: UUID | None,
    shares: Sequence[funding_rules.Share],
    people: Iterable[UUID | None],
    today: date,
    *,
    lock: bool = False,
) -> Funding:
    """Load the shares with their sources, each of which one of `people` (whom the booking is for, or who
    makes it) must be able to charge. Raise `Invalid` naming what is wrong with `funding`. One statement, none
    without shares.

    `today`: the day whose exchange rates count. `lock`: the caller will reserve money.
    """
    if not shares:
        return NO_FUNDING
    funding_rules.require_shares(shares)
    purses = {}
    if payer_id is not None:
        purses = load_purses(payer_id, {share.source for share in shares}, people, lock=lock)
    funding_rules.require_known(shares, purses)
    return Funding(payer_id, shares, purses, today)


def load_refunding(
    payer_id: UUID, rows: Sequence[Earmark], currency: str, today: date, *, lock: bool = False
) -> Funding:
    """Load the sources that already pay for a booking, to pay for it at another price: what is reserved for
    it now is available for it again, at the rates it was made with. `rows` are loaded with their sources;
    `lock` reads those again, for callers that will change the reserved amounts."""
    if not rows:
        return NO_FUNDING
    sources = {row.source_id: row.source for row in rows}
    if lock:
        rows_to_lock = FundingSource.objects.filter(pk__in=list(sources)).order_by("pk")
        sources = {source.pk: source for source in locked(rows_to_lock)}
    shares, purses, rates = [], {}, {}
    for row in rows:
        source = sources[row.source_id]
        if source is None:
            continue
        purse = load_purse(source)
        left = None if purse.left is None else max(purse.left, Decimal(0)) + row.held
        purses[purse.code] = replace(purse, left=left)
        shares.append(funding_rules.Share(purse.code, row.percent or Decimal(0)))
        rates[purse.currency] = row.rate
    funding = Funding(payer_id, shares, purses, today)
    funding.keep_rates(currency, rates)
    return funding


def load_purses(
    organisation_id: UUID, codes: Iterable[str], people: Iterable[UUID | None], *, lock: bool = False
) -> dict[str, funding_rules.Purse]:
    """Return the named sources of an organisation, by code, each with whether any of the people may charge
    it. One statement. `lock` locks them in the order of their ids."""
    named = sorted({code for code in codes if "\0" not in code})
    rows = FundingSource.objects.filter(organisation_id=organisation_id, code__in=named).annotate(
        may_charge=may_charge(people)
    )
    if lock:
        rows = locked(rows)
    return {row.code: load_purse(row) for row in rows.order_by("pk")}


def may_charge(people: Iterable[UUID | None]) -> Q:
    """Return a condition for sources that any of the people may charge: open to all members, owned by them,
    or naming them."""
    ids = sorted({person for person in people if person})
    through = FundingSource.users.through
    named = through.objects.filter(fundingsource_id=OuterRef("pk"), user_id__in=ids)
    return Q(is_open=True) | Q(owner_id__in=ids) | Q(Exists(named))


def load_purse(row: FundingSource) -> funding_rules.Purse:
    """Return a source as the rules see it; `may_charge` must be annotated on the row."""
    return funding_rules.Purse(
        id=row.pk,
        code=row.code,
        currency=row.currency,
        left=row.left,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        is_suspended=row.suspended_at is not None,
        may_charge=getattr(row, "may_charge", True),
    )


def load_rates(organisation_id: UUID, base: str, quotes: Iterable[str], day: date) -> dict[str, Decimal]:
    """Return what one unit of `base` is worth in each currency, by the newest rate that the organisation's
    finance entered for the day or before; currencies without one are left out. One statement, none where
    there is nothing to convert."""
    others = {quote for quote in quotes if quote != base}
    if not others:
        return {}
    rows = (
        ExchangeRate.objects.filter(
            organisation_id=organisation_id, base=base, quote__in=others, valid_on__lte=day
        )
        .order_by("quote", "-valid_on", "-entered_at")
        .distinct("quote")
    )
    return {row.quote: row.rate for row in rows}
