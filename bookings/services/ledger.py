"""Writing the books: one balanced entry for each thing that happens to money."""

from datetime import datetime

from bookings.domain.ledger import RECEIVABLE, SUBSIDY, Postings, charge_postings, payment_postings
from bookings.models import Charge, LedgerEntry, Payment, Posting


def charge_post(*, charge: Charge, now: datetime) -> None:
    """A charge of any kind, in the transaction that makes it; one of nothing is not posted."""
    postings = charge_postings(tax=charge.tax, covered=charge.covered, payable=charge.payable)
    if not postings:
        return
    entry = LedgerEntry.objects.create(kind=LedgerEntry.Kind.CHARGE, charge=charge, at=now)
    Posting.objects.bulk_create(posting_rows(entry, postings, charge))


def posting_rows(entry: LedgerEntry, postings: Postings, charge: Charge) -> list[Posting]:
    """Those of a charge, not yet stored."""
    to = Posting(
        host_id=charge.host_id,
        payer_id=charge.organisation_id,
        host_region_id=charge.host_region_id,
        payer_region_id=charge.payer_region_id,
        currency=charge.currency,
    )
    return rows_to_post(entry, postings, to)


def payment_post(*, payment: Payment, now: datetime) -> None:
    """Money that came in for a statement or a settlement."""
    entry = LedgerEntry.objects.create(kind=LedgerEntry.Kind.PAYMENT, payment=payment, at=now)
    statement, settlement = payment.statement, payment.settlement
    if statement is not None:
        to = Posting(
            host_id=statement.host_id,
            payer_id=statement.payer_id,
            host_region_id=statement.host_region_id,
            payer_region_id=statement.payer_region_id,
            currency=payment.currency,
        )
        _post(entry, payment_postings(payment.amount, settles=RECEIVABLE), to)
    elif settlement is not None:
        owing, owed = settlement.first_id, settlement.second_id
        if settlement.second_owes > settlement.first_owes:
            owing, owed = owed, owing
        to = Posting(host_region_id=owed, payer_region_id=owing, currency=payment.currency)
        _post(entry, payment_postings(payment.amount, settles=SUBSIDY), to)


def _post(entry: LedgerEntry, postings: Postings, to: Posting) -> None:
    Posting.objects.bulk_create(rows_to_post(entry, postings, to))


def rows_to_post(entry: LedgerEntry, postings: Postings, to: Posting) -> list[Posting]:
    return [
        Posting(
            entry=entry,
            account=account,
            host_id=to.host_id,
            payer_id=to.payer_id,
            host_region_id=to.host_region_id,
            payer_region_id=to.payer_region_id,
            currency=to.currency,
            amount=amount,
        )
        for account, amount in postings
    ]
