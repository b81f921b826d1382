"""Write the ledger: one balanced entry for each event that concerns money."""

from datetime import datetime
from typing import Any

from bookings.charging.domain.ledger import Postings, charge_postings
from bookings.charging.models import LedgerEntry, Posting
from bookings.pricing.models import Charge


def charge_post(*, charge: Charge, now: datetime) -> None:
    """Post a charge of any kind, in the transaction that creates it; a charge of zero is not posted."""
    postings = charge_postings(tax=charge.tax, covered=charge.covered, payable=charge.payable)
    if not postings:
        return
    entry = LedgerEntry.objects.create(kind=LedgerEntry.Kind.CHARGE, charge=charge, at=now)
    Posting.objects.bulk_create(posting_rows(entry, postings, charge))


def posting_rows(entry: LedgerEntry, postings: Postings, charge: Charge) -> list[Posting]:
    """Return the postings of a charge, not yet stored."""
    names = ("host_id", "host_region_id", "payer_region_id", "currency")
    to = {name: getattr(charge, name) for name in names}
    return rows_to_post(entry, postings, payer_id=charge.organisation_id, **to)


def rows_to_post(entry: LedgerEntry, postings: Postings, **to: Any) -> list[Posting]:
    """Return postings between a payer and a host, whose fields are `to`; they are not yet stored."""
    return [Posting(entry=entry, account=account, amount=amount, **to) for account, amount in postings]
