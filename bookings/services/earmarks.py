"""Setting money of grants and funding sources aside, spending it, giving it back.

Call these within a transaction, under the instrument's lock. Whoever books has the grants of
the payer before its sources; so everybody takes them in that order.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F

from bookings.domain.funding import Share, converted, require_chargeable, require_shares, split
from bookings.domain.money import format_amount
from bookings.domain.quotes import Quote
from bookings.domain.refusals import Refusal, RulesRefuse
from bookings.models import Earmark, FundingSource, Reservation, VoucherGrant
from bookings.selectors.earmarks import Earmarked, load_earmarked
from bookings.selectors.funding import load_purses, rates_of


def sources_take(
    *,
    reservation: Reservation,
    quote: Quote,
    shares: Sequence[Share],
    day: date,
    today: date,
    now: datetime,
) -> list[Earmark]:
    """Set what a booking will cost aside in the sources that pay for it; the rows are not yet
    stored. `day`: the local day of its start; `today`: whose exchange rate counts.

    `Invalid` (`funding…`) for a source the person may not charge then; `RulesRefuse`
    (`funding-short`) where a budget has not enough left.
    """
    if not shares:
        return []
    require_shares(shares)
    payer = reservation.organisation_id
    purses = load_purses(payer, {s.source for s in shares}, reservation.user_id, lock=True)
    for index, share in enumerate(shares):
        require_chargeable(index, purses.get(share.source), day)
    rates = rates_of(payer, shares, purses, quote.currency, today)
    parts = split(quote.payable, [s.percent for s in shares], quote.currency)
    rows, short = [], []
    for share, part, rate in zip(shares, parts, rates, strict=True):
        purse = purses[share.source]
        amount = converted(part, rate, purse.currency)
        if purse.left is not None and amount > purse.left:
            short.append(_short(share.source, purse.left, amount, purse.currency))
        rows.append(
            Earmark(
                reservation=reservation,
                source_id=purse.id,
                percent=share.percent,
                rate=rate,
                held=amount,
                created_at=now,
            )
        )
    if short:
        raise RulesRefuse(short)
    for row in rows:
        _source_add(row.source_id, held=row.held)
    return rows


def _short(source: str, left: Decimal, needed: Decimal, currency: str) -> Refusal:
    return Refusal(
        "funding-short",
        {
            "source": source,
            "left": format_amount(max(left, Decimal(0)), currency),
            "needed": format_amount(needed, currency),
            "currency": currency,
        },
    )


def grant_take(
    *, reservation: Reservation, grant_id: UUID, covered: Decimal, now: datetime
) -> Earmark:
    """Set what a voucher covers aside; the row is not yet stored. The grant is locked already,
    and has so much left."""
    _grant_add(grant_id, held=covered)
    return Earmark(reservation=reservation, grant_id=grant_id, held=covered, created_at=now)


def earmarks_store(rows: Sequence[Earmark]) -> None:
    """Those just taken."""
    Earmark.objects.bulk_create(rows)


def earmarks_change(
    *,
    earmarked: Earmarked,
    reservation: Reservation,
    quote: Quote,
    grant_id: UUID | None,
    now: datetime,
) -> None:
    """After a move: set aside what the new quote says instead of what the old one did. The
    sources and their percents stay; `grant_id` is the grant the new quote is covered by.

    `RulesRefuse` (`funding-short`) where a budget has not enough left for the difference.
    """
    _sources_change(earmarked.sources, quote)
    row = earmarked.grant
    if row is not None and (grant_id != row.grant_id or not quote.covered):
        _release(row, now)
        row = None
    if grant_id is None or not quote.covered:
        return
    if row is None:
        earmarks_store(
            [grant_take(reservation=reservation, grant_id=grant_id, covered=quote.covered, now=now)]
        )
    elif quote.covered != row.held:
        _grant_add(grant_id, held=quote.covered - row.held)
        row.held = quote.covered
        row.save(update_fields=["held"])


def _sources_change(rows: Sequence[Earmark], quote: Quote) -> None:
    if not rows:
        return
    sources = {
        source.pk: source
        for source in FundingSource.objects.select_for_update(no_key=True)
        .filter(pk__in=[row.source_id for row in rows])
        .order_by("pk")
    }
    parts = split(quote.payable, [row.percent or Decimal(0) for row in rows], quote.currency)
    short = []
    for row, part in zip(rows, parts, strict=True):
        source = sources[row.source_id]  # type: ignore[index]
        amount = converted(part, row.rate, source.currency)
        more = amount - row.held
        left = None if source.budget is None else source.budget - source.held - source.spent
        if left is not None and more > max(left, Decimal(0)):
            short.append(_short(source.code, left + row.held, amount, source.currency))
        row.held = amount
        if more:
            _source_add(row.source_id, held=more)
            row.save(update_fields=["held"])
    if short:
        raise RulesRefuse(short)


def earmarks_release(*, reservation: Reservation, now: datetime) -> None:
    """Give back all that is set aside for a reservation that will not take place."""
    earmarked = load_earmarked(reservation.pk)
    sources = sorted(earmarked.sources, key=lambda row: str(row.source_id))
    for row in (*([earmarked.grant] if earmarked.grant else []), *sources):
        _release(row, now)


def _release(row: Earmark, now: datetime) -> None:
    if row.held:
        if row.grant_id is not None:
            _grant_add(row.grant_id, held=-row.held)
        else:
            _source_add(row.source_id, held=-row.held)
    row.held, row.released_at = Decimal(0), now
    row.save(update_fields=["held", "released_at"])


def earmarks_spend(
    *, reservation: Reservation, covered: Decimal, payable: Decimal, currency: str, now: datetime
) -> UUID | None:
    """What a charge of the reservation comes to is spent from the grant and the sources it was
    booked with, and what else was set aside given back; of a reversing charge (amounts below 0)
    it is put back. The grant, where one covers any of it.

    Also after a cancellation gave all back: its fee is paid by the same sources.
    """
    rows = list(
        Earmark.objects.filter(reservation=reservation)
        .select_related("source")
        .order_by("created_at", "id")
    )
    newest: dict[UUID | None, Earmark] = {row.source_id: row for row in rows if row.source_id}
    sources = sorted(newest.values(), key=lambda row: (row.created_at, row.pk))
    ids = sorted(row.source_id for row in sources if row.source_id)
    list(FundingSource.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    parts = split(payable, [row.percent or Decimal(0) for row in sources], currency)
    for row, part in zip(sources, parts, strict=False):
        spent = converted(part, row.rate, row.source.currency)  # type: ignore[union-attr]
        _source_add(row.source_id, held=-row.held, spent=spent)
        _spent(row, spent, now)
    grants = [row for row in rows if row.grant_id is not None]
    if not grants:
        return None
    kept = next((row for row in grants if row.released_at is None), grants[-1])
    if kept.held or covered:
        _grant_add(kept.grant_id, held=-kept.held, redeemed=covered)
        _spent(kept, covered, now)
    return kept.grant_id if covered else None


def _spent(row: Earmark, amount: Decimal, now: datetime) -> None:
    row.held, row.redeemed = Decimal(0), row.redeemed + amount
    row.released_at = row.released_at or now
    row.save(update_fields=["held", "redeemed", "released_at"])


def _grant_add(
    grant_id: UUID | None, *, held: Decimal = Decimal(0), redeemed: Decimal = Decimal(0)
) -> None:
    _add(VoucherGrant, grant_id, held=held, redeemed=redeemed)


def _source_add(
    source_id: UUID | None, *, held: Decimal = Decimal(0), spent: Decimal = Decimal(0)
) -> None:
    _add(FundingSource, source_id, held=held, spent=spent)


def _add(model: Any, pk: UUID | None, **amounts: Decimal) -> None:
    changes = {name: F(name) + amount for name, amount in amounts.items() if amount}
    if changes:
        model.objects.filter(pk=pk).update(**changes)
