"""A home organisation's funding sources."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.domain.errors import invalid
from bookings.domain.funding import Purse, Share
from bookings.locks import locked
from bookings.models import ExchangeRate, FundingSource


def load_purses(
    organisation_id: UUID, codes: Iterable[str], user_id: UUID, *, lock: bool = False
) -> dict[str, Purse]:
    """The named sources of an organisation, by code, for a person who would charge them. One
    statement. `lock`: for whoever will set money aside; in the order of their ids."""
    through = FundingSource.users.through
    rows = FundingSource.objects.filter(
        organisation_id=organisation_id, code__in=sorted(set(codes))
    ).annotate(
        may_charge=Q(is_open=True)
        | Q(owner_id=user_id)
        | Exists(through.objects.filter(fundingsource_id=OuterRef("pk"), user_id=user_id))
    )
    if lock:
        rows = locked(rows)
    return {row.code: load_purse(row) for row in rows.order_by("pk")}


def load_purse(row: FundingSource) -> Purse:
    """The row, annotated with `may_charge`, as a value."""
    return Purse(
        id=row.pk,
        code=row.code,
        currency=row.currency,
        left=None if row.budget is None else row.budget - row.held - row.spent,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        is_suspended=row.suspended_at is not None,
        may_charge=getattr(row, "may_charge", True),
    )


def load_rates(
    organisation_id: UUID, base: str, quotes: Iterable[str], day: date
) -> dict[str, Decimal]:
    """What one unit of `base` is worth in each currency by the newest word of the organisation's
    finance of a day or before; currencies without one are left out. One statement, none where
    there is nothing to convert."""
    wanted = {quote for quote in quotes if quote != base}
    if not wanted:
        return {}
    rows = (
        ExchangeRate.objects.filter(
            organisation_id=organisation_id, base=base, quote__in=wanted, valid_on__lte=day
        )
        .order_by("quote", "-valid_on", "-entered_at")
        .distinct("quote")
    )
    return {row.quote: row.rate for row in rows}


def rates_of(
    organisation_id: UUID,
    shares: Sequence[Share],
    purses: Mapping[str, Purse],
    currency: str,
    day: date,
) -> list[Decimal]:
    """The rate of each share from an amount's currency to that of its source; `Invalid`
    (`no-exchange-rate`) where finance has not said any: nothing converts silently."""
    known = load_rates(organisation_id, currency, {p.currency for p in purses.values()}, day)
    rates = []
    for index, share in enumerate(shares):
        to = purses[share.source].currency
        if to != currency and to not in known:
            raise invalid(f"funding[{index}].source", "no-exchange-rate", base=currency, quote=to)
        rates.append(Decimal(1) if to == currency else known[to])
    return rates
