"""Reserve money of grants and funding sources, spend it, and release it.

Call these within a transaction, under the instrument's lock; grants are locked before sources.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F

from accounts.prepared import insert
from bookings.funding.domain.funding import (
    Cost,
    Share,
    converted,
    parts_of,
    refuse_parts,
    require_known,
    require_shares,
    split,
    without_numbers,
)
from bookings.funding.models import Earmark, FundingSource
from bookings.funding.selectors.earmarks import Earmarked, Subject, load_earmarked
from bookings.funding.selectors.funding import load_funding, load_purses, load_rates, load_refunding
from bookings.pricing.domain.quotes import Quote
from bookings.pricing.models import VoucherGrant
from bookings.record.domain.money import format_number
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.locks import locked
from bookings.record.models import Reservation
from instruments.training.models import Enrolment


def _of(subject: Subject) -> dict[str, Any]:
    """Return the key by which a row of money names what it is reserved for."""
    return {"enrolment" if isinstance(subject, Enrolment) else "reservation": subject}


def _people_of(subject: Subject) -> tuple[UUID, UUID]:
    """Return the people one of whom must be able to charge the sources."""
    made_by = subject.asked_by_id if isinstance(subject, Enrolment) else subject.made_by_id
    return subject.user_id, made_by


def sources_lock(named: Iterable[tuple[UUID, str]]) -> None:
    """Lock all sources (payer, code) that several bookings name, in one order, before any money is taken from
    them. One statement, none where fewer than two are named."""
    pairs = set(named)
    if len(pairs) < 2:
        return
    rows = FundingSource.objects.filter(
        organisation_id__in={payer for payer, _ in pairs},
        code__in={code for _, code in pairs if "\0" not in code},
    )
    list(locked(rows.order_by("pk")).values_list("pk"))


def purses_lock(reservations: Sequence[Reservation]) -> None:
    """Lock the grants and sources with money reserved for several bookings that are about to release it, in
    one order. Two statements, none for one booking."""
    if len(reservations) < 2:
        return
    rows = Earmark.objects.filter(reservation__in=reservations, released_at=None)
    grants = VoucherGrant.objects.filter(pk__in=rows.values("grant_id"))
    list(locked(grants.order_by("pk")).values_list("pk"))
    sources = FundingSource.objects.filter(pk__in=rows.values("source_id"))
    list(locked(sources.order_by("pk")).values_list("pk"))


def sources_take(
    *, subject: Subject, cost: Cost, shares: Sequence[Share], day: date, today: date, now: datetime
) -> list[Earmark]:
    """Reserve what a booking or a place will cost in the sources that pay for it; return the rows, not yet
    stored. `day`: the local day of its start; `today`: the day whose exchange rates count.

    Raises `Invalid` (`funding…`) for shares that do not add up and sources that these people may not charge;
    `RulesRefuse` for a source that is suspended, not valid on the day, in a currency without a rate
    (`no-exchange-rate`), or has not enough left (`funding-short`).
    """
    funding = load_funding(subject.organisation_id, shares, _people_of(subject), today, lock=True)
    if refusals := funding.refusals(cost, day):
        raise RulesRefuse(refusals)
    rows = [
        Earmark(
            **_of(subject),
            source_id=part.purse.id,
            percent=part.percent,
            rate=part.rate or Decimal(1),  # sources without a rate are refused by `refusals`
            held=part.reserved or Decimal(0),
            created_at=now,
        )
        for part in funding.parts(cost)
    ]
    for row in rows:
        _source_add(row.source_id, held=row.held)
    return rows


def grant_take(*, reservation: Reservation, grant_id: UUID, covered: Decimal, now: datetime) -> Earmark:
    """Reserve what a voucher covers; return the row, not yet stored. The caller has locked the grant and
    checked that enough is left."""
    _grant_add(grant_id, held=covered)
    return Earmark(reservation=reservation, grant_id=grant_id, held=covered, created_at=now)


def earmarks_store(rows: Sequence[Earmark]) -> None:
    """Store the rows that `sources_take` and `grant_take` returned."""
    insert(rows)


def earmarks_change(
    *,
    earmarked: Earmarked,
    reservation: Reservation,
    quote: Quote,
    was: str,
    grant_id: UUID | None,
    day: date | None,
    today: date,
    now: datetime,
    by_host: bool = False,
) -> None:
    """Reserve, after a move, what the new quote costs instead of the old one, which was in the currency
    `was`. The sources and their percents stay; `grant_id` is the grant that covers the new quote. `day`: the
    local day of the new start; None if the move only releases time.

    Raises `RulesRefuse` if a source does not pay on that day, or has not enough left for the difference.
    """
    _grant_change(earmarked.grant, reservation, quote, grant_id, now)
    rows = earmarked.sources
    payer = reservation.organisation_id
    funding = load_refunding(payer, rows, was, today, lock=True)
    if refusals := funding.refusals(quote, day):
        raise RulesRefuse(without_numbers(refusals) if by_host else refusals)
    for row, part in zip(rows, funding.parts(quote), strict=True):
        amount, rate = part.reserved or Decimal(0), part.rate or row.rate
        if amount != row.held:
            _source_add(row.source_id, held=amount - row.held)
        if (amount, rate) != (row.held, row.rate):
            row.held, row.rate = amount, rate
            row.save(update_fields=["held", "rate"])


def _grant_change(
    row: Earmark | None, reservation: Reservation, quote: Quote, grant_id: UUID | None, now: datetime
) -> None:
    if row is not None and (grant_id != row.grant_id or not quote.covered):
        earmark_release(row, now)
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


def earmarks_release(*, reservation: Reservation, now: datetime) -> None:
    """Release all money that is reserved for a reservation that will not take place."""
    earmarked = load_earmarked(reservation.pk)
    if earmarked.grant:
        earmark_release(earmarked.grant, now)
    for row in sorted(earmarked.sources, key=lambda row: str(row.source_id)):
        earmark_release(row, now)


def earmark_release(row: Earmark, now: datetime) -> None:
    """Release an amount that is reserved and not spent."""
    if row.held:
        if row.grant_id is not None:
            _grant_add(row.grant_id, held=-row.held)
        else:
            _source_add(row.source_id, held=-row.held)
    row.held, row.released_at = Decimal(0), now
    row.save(update_fields=["held", "released_at"])


def earmarks_spend(
    *, subject: Subject, covered: Decimal, payable: Decimal, currency: str, now: datetime
) -> UUID | None:
    """Spend a charge of a reservation or place from the grant and the sources it was booked with, and release
    what else was reserved; put the amounts of a reversing charge (below 0) back. Return the grant if one
    covers any of it.

    This also works after a cancellation has released everything: the same sources pay its fee.
    """
    rows = _rows_of(subject)
    grants = [row for row in rows if row.grant_id is not None]
    kept = next((row for row in grants if row.released_at is None), grants[-1] if grants else None)
    if kept is not None and (kept.held or covered):
        _grant_add(kept.grant_id, held=-kept.held, redeemed=covered)
        _spent(kept, covered, now)
    for row, spent in _parts_locked(rows, payable, currency):
        _source_add(row.source_id, held=-row.held, spent=spent)
        _spent(row, spent, now)
    return kept.grant_id if kept is not None and covered else None


def earmarks_respend(*, subject: Subject, covered: Decimal, payable: Decimal, currency: str) -> UUID | None:
    """Correct what the grant and the sources of a reservation or place have spent to what is owed in all,
    after a correction or a fee reduction on rebooking. Return the grant if one covers any of it. Grants are
    locked already."""
    rows = _rows_of(subject)
    for row, spent in _parts_locked(rows, payable, currency):
        _source_add(row.source_id, spent=spent - row.redeemed)
        row.redeemed = spent
        row.save(update_fields=["redeemed"])
    grants = [row for row in rows if row.grant_id is not None]
    if not grants:
        return None
    kept = next((row for row in reversed(grants) if row.redeemed), grants[-1])
    _grant_add(kept.grant_id, redeemed=covered - kept.redeemed)
    kept.redeemed = covered
    kept.save(update_fields=["redeemed"])
    return kept.grant_id if covered else None


def sources_recode(
    *, subject: Subject, shares: Sequence[Share], payable: Decimal, currency: str, day: date, now: datetime
) -> tuple[dict[str, str], dict[str, str]]:
    """Charge what is payable for a reservation or place that was charged to any sources of its payer instead
    of those that paid so far; return the percents by code, before and after. A source that no longer pays
    keeps its row, with 0 percent.

    `day`: the local day of its start. Raises `Invalid` (`funding…`) and `RulesRefuse` as `sources_take`.
    """
    require_shares(shares)
    payer_id, codes = subject.organisation_id, {share.source for share in shares}
    assert payer_id is not None  # who was charged has a payer
    rows = [row for row in _rows_of(subject) if row.source_id is not None]
    of_payer = FundingSource.objects.filter(organisation_id=payer_id)
    named = of_payer.filter(code__in=[code for code in codes if "\0" not in code])
    ids = sorted({*named.values_list("pk", flat=True), *(row.source_id for row in rows if row.source_id)})
    list(locked(FundingSource.objects.filter(pk__in=ids).order_by("pk")).values_list("pk"))
    before = {row.source.code: row.percent for row in rows if row.source and row.percent}
    for row in rows:
        _source_add(row.source_id, spent=-row.redeemed)
        row.redeemed, row.percent = Decimal(0), Decimal(0)
        row.save(update_fields=["redeemed", "percent"])
    found = load_purses(payer_id, codes, ())
    # Finance may charge any source of its organisation.
    purses = {code: replace(purse, may_charge=True) for code, purse in found.items()}
    require_known(shares, purses)
    rates = load_rates(payer_id, currency, {purse.currency for purse in purses.values()}, day)
    parts = parts_of(shares, purses, rates, payable, currency)
    if refusals := refuse_parts(parts, currency, day):
        raise RulesRefuse(refusals)
    made = [
        Earmark(
            **_of(subject),
            source_id=part.purse.id,
            percent=part.percent,
            rate=part.rate or Decimal(1),
            redeemed=part.reserved or Decimal(0),
            created_at=now,
            released_at=now,
        )
        for part in parts
    ]
    for row in made:
        _source_add(row.source_id, spent=row.redeemed)
    earmarks_store(made)
    after = {share.source: share.percent for share in shares}
    return _written(before), _written(after)


def _written(percents: Mapping[str, Decimal]) -> dict[str, str]:
    return {code: format_number(percent) for code, percent in percents.items()}


def _rows_of(subject: Subject) -> list[Earmark]:
    """Return all money that is or was reserved for a reservation or place, the oldest first."""
    rows = Earmark.objects.filter(**_of(subject)).select_related("source")
    return list(rows.order_by("created_at", "id"))


def _parts_locked(rows: Sequence[Earmark], payable: Decimal, currency: str) -> list[tuple[Earmark, Decimal]]:
    """Lock the sources, and return the newest row of each with what it has to pay, in its own currency."""
    newest: dict[UUID | None, Earmark] = {row.source_id: row for row in rows if row.source_id}
    sources = sorted(newest.values(), key=lambda row: (row.created_at, row.pk))
    ids = sorted(row.source_id for row in sources if row.source_id)
    list(FundingSource.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    parts = split(payable, [row.percent or Decimal(0) for row in sources], currency)
    return [
        (row, converted(part, row.rate, row.source.currency))  # type: ignore[union-attr]
        for row, part in zip(sources, parts, strict=False)
    ]


def _spent(row: Earmark, amount: Decimal, now: datetime) -> None:
    row.held, row.redeemed = Decimal(0), row.redeemed + amount
    row.released_at = row.released_at or now
    row.save(update_fields=["held", "redeemed", "released_at"])


def _grant_add(grant_id: UUID | None, *, held: Decimal = Decimal(0), redeemed: Decimal = Decimal(0)) -> None:
    _add(VoucherGrant, grant_id, held=held, redeemed=redeemed)


def _source_add(source_id: UUID | None, *, held: Decimal = Decimal(0), spent: Decimal = Decimal(0)) -> None:
    _add(FundingSource, source_id, held=held, spent=spent)


def _add(model: Any, pk: UUID | None, **amounts: Decimal) -> None:
    changes = {name: F(name) + amount for name, amount in amounts.items() if amount}
    if changes:
        model.objects.filter(pk=pk).update(**changes)
