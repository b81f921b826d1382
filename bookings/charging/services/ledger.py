"""Writing the books: one balanced entry for each thing that happens to money."""

from datetime import datetime

from bookings.charging.domain.ledger import (
    Postings,
    charge_postings,
)
from bookings.charging.models import LedgerEntry, Posting
from bookings.pricing.models import Charge


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
