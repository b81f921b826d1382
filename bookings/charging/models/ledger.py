"""The ledger: who owes what to whom, as balanced sets of postings that are never altered.

The database refuses a set that does not sum to zero per currency when the transaction
commits, and every UPDATE, DELETE and TRUNCATE (the first migration).
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Region
from accounts.models.keys import new_id
from bookings.pricing.models import Charge
from bookings.record.models.amounts import amount_field


class LedgerEntry(models.Model):
    """An event that concerns money: a charge of any kind, or a payment."""

    class Kind(models.TextChoices):
        CHARGE = "charge", _("charge")
        PAYMENT = "payment", _("payment")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField()
    charge = models.OneToOneField(Charge, models.PROTECT, null=True, related_name="ledger_entry")
    payment = models.OneToOneField("bookings.Payment", models.PROTECT, null=True, related_name="ledger_entry")

    class Meta:
        verbose_name = _("ledger entry")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="charge", charge__isnull=False, payment=None)
                | Q(kind="payment", charge=None, payment__isnull=False),
                name="ledgerentry_one_cause",
            )
        ]


class Posting(models.Model):
    """A signed amount on one account: debits are positive, credits negative.

    `receivable`: what `payer` owes `host`. `subsidy`: what `payer_region` owes for vouchers used at `host`.
    `revenue`, `tax`: what `host` earned, and the tax it has to pass on. `received`: payments for `receivable`
    or `subsidy`.
    """

    class Account(models.TextChoices):
        RECEIVABLE = "receivable", _("receivable")
        SUBSIDY = "subsidy", _("voucher claim")
        REVENUE = "revenue", _("revenue")
        TAX = "tax", _("tax")
        RECEIVED = "received", _("received")

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(LedgerEntry, models.PROTECT, related_name="postings")
    account = models.CharField(max_length=10, choices=Account)
    # Null where a payment is between regions.
    host = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    payer = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    host_region = models.ForeignKey(Region, models.PROTECT, related_name="+", db_index=False)
    payer_region = models.ForeignKey(Region, models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    amount = amount_field()

    class Meta:
        verbose_name = _("posting")
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="posting_says_something")]
        indexes = [
            models.Index(
                fields=["host_region", "payer_region"],
                condition=Q(account="subsidy"),
                name="posting_between_regions",
            )
        ]
