"""Files of banks, the transactions read from them, the payments they were matched with, and credit."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.record.models.amounts import amount_field
from bookings.settlement.models import Payment


class BankMapping(models.Model):
    """How an organisation's CSV files are read: signs and formats, and the names of their columns."""

    class Encoding(models.TextChoices):
        UTF_8 = "utf-8", "UTF-8"
        GB18030 = "gb18030", "GB18030"
        LATIN_1 = "cp1252", _("Windows-1252")
        UTF_16 = "utf-16", "UTF-16"

    class Delimiter(models.TextChoices):
        COMMA = "comma", _("comma")
        SEMICOLON = "semicolon", _("semicolon")
        TAB = "tab", _("tab")
        BAR = "bar", _("vertical bar")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    delimiter = models.CharField(max_length=10, choices=Delimiter, default=Delimiter.COMMA)
    encoding = models.CharField(max_length=10, choices=Encoding, default=Encoding.UTF_8)
    date_format = models.CharField(max_length=20, default="YYYY-MM-DD")
    is_decimal_comma = models.BooleanField(default=False)
    skipped_lines = models.PositiveSmallIntegerField(default=0)  # above the line with the names of columns
    account = models.CharField(max_length=64, blank=True)  # of files without a column for it
    currency = models.CharField(max_length=3, blank=True)
    columns = models.JSONField(default=dict)  # field -> name of the column
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("format of bank files")
        constraints = [models.UniqueConstraint(fields=["host", "name"], name="bankmapping_name")]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return (self.host_id,), self.host.region.lineage


class BankFile(models.Model):
    """A bank's file of transactions on one account of a host, in one currency. The bytes are not stored; the
    digest says which file it was."""

    class Format(models.TextChoices):
        CAMT053 = "camt053", _("CAMT.053")
        MT940 = "mt940", "MT940"
        CSV = "csv", "CSV"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    format = models.CharField(max_length=10, choices=Format)
    sha256 = models.CharField(max_length=64)
    account = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    opening_balance = amount_field(null=True)
    closing_balance = amount_field(null=True)
    transactions_read = models.PositiveIntegerField()
    known_before = models.PositiveIntegerField()  # transactions that an earlier file had brought
    # Entries left out as the bank had yet to book them.
    not_booked = models.PositiveIntegerField(default=0, db_default=0)
    # Lines at the end that are no transactions, such as the totals of a CSV file.
    left_out = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    read_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    read_at = models.DateTimeField()
    # Read by mistake: its transactions are gone, but for those that have a history.
    taken_back_by = models.ForeignKey(User, models.PROTECT, db_constraint=False, null=True, related_name="+")
    taken_back_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("bank file")
        constraints = [
            models.UniqueConstraint(
                fields=["host", "sha256"], condition=Q(taken_back_at=None), name="bankfile_read_once"
            )
        ]
        indexes = [models.Index(fields=["host", "-read_at", "-id"], name="bankfile_read")]

    def __str__(self) -> str:
        return self.name

    def places(self) -> Places:
        return (self.host_id,), self.host.region.lineage


class BankTransaction(models.Model):
    """One transaction on a host's account; below zero if money went out. `matched` is what payments of
    statements took of it, `credited` what is kept as the payer's credit, or paid out of it; neither ever
    exceeds the amount, and both have its sign."""

    class State(models.TextChoices):
        TO_MATCH = "to_match", _("to match")
        PART = "part", _("matched in part")
        MATCHED = "matched", _("matched in full")
        CREDIT = "credit", _("matched, rest is credit")
        SET_ASIDE = "set_aside", _("set aside")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    file = models.ForeignKey(BankFile, models.PROTECT, related_name="transactions")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    account = models.CharField(max_length=64)
    position = models.PositiveIntegerField()
    # Account, day, amount and the bank's own reference in a digest: a file that overlaps is not read twice.
    key = models.CharField(max_length=64)
    booked_on = models.DateField()
    amount = amount_field()
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=200, blank=True)
    counter_account = models.CharField(max_length=64, blank=True)
    reference = models.CharField(max_length=200, blank=True)  # the payer's, end to end
    purpose = models.TextField(max_length=2000, blank=True)
    bank_reference = models.CharField(max_length=100, blank=True)
    is_return = models.BooleanField(default=False)  # the bank took a transfer back
    # The transfer that this one takes back: nothing of that is given away, nor returned, a second time.
    returns = models.OneToOneField("self", models.PROTECT, null=True, related_name="returned_by")
    state = models.CharField(max_length=10, choices=State, default=State.TO_MATCH)
    matched = amount_field(default=0)
    credited = amount_field(default=0)
    aside_reason = models.CharField(max_length=500, blank=True)
    aside_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    aside_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("bank transaction")
        constraints = [
            models.UniqueConstraint(fields=["host", "key"], name="banktransaction_once"),
            models.UniqueConstraint(fields=["file", "position"], name="banktransaction_position"),
            models.CheckConstraint(condition=~Q(amount=0), name="banktransaction_not_zero"),
            models.CheckConstraint(
                condition=Q(
                    amount__gt=0, matched__gte=0, credited__gte=0, matched__lte=F("amount") - F("credited")
                )
                | Q(amount__lt=0, matched__lte=0, credited__lte=0, matched__gte=F("amount") - F("credited")),
                name="banktransaction_given_once",
            ),
            models.CheckConstraint(
                condition=Q(state="set_aside", aside_at__isnull=False, matched=0, credited=0)
                | Q(state="to_match", aside_at=None, matched=0, credited=0)
                | (
                    Q(state="part", aside_at=None)
                    & ~Q(matched=F("amount") - F("credited"))
                    & ~Q(matched=0, credited=0)
                )
                | Q(state="matched", aside_at=None, matched=F("amount"), credited=0)
                | (Q(state="credit", aside_at=None, matched=F("amount") - F("credited")) & ~Q(credited=0)),
                name="banktransaction_state",
            ),
        ]
        indexes = [
            models.Index(fields=["host", "-booked_on", "-id"], name="banktransaction_day"),
            models.Index(
                fields=["host", "-booked_on"],
                condition=Q(state__in=["to_match", "part"]),
                name="banktransaction_open",
            ),
        ]

    @property
    def is_open(self) -> bool:
        """Return whether something of it is still to be matched."""
        return self.state in (self.State.TO_MATCH, self.State.PART)

    @property
    def left(self) -> Decimal:
        """Return how much of it is left to match."""
        left: Decimal = self.amount - self.matched - self.credited
        return left

    def places(self) -> Places:
        return (self.host_id,), self.host.region.lineage


class BankMatch(models.Model):
    """A payment of a statement that a bank transaction brought, and why. A match that is undone keeps its
    payment, and names the one that reversed it: entered by hand, or that of a transfer that was returned."""

    class Reason(models.TextChoices):
        NUMBER = "number", _("number of the statement")
        NOTICE = "notice", _("payment reported by the payer")
        AMOUNT = "amount", _("amount and payer")
        SEVERAL = "several", _("sum of several statements")
        BY_HAND = "by_hand", _("chosen by hand")
        RETURN = "return", _("transfer returned by the bank")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    transaction = models.ForeignKey(BankTransaction, models.PROTECT, related_name="matches")
    payment = models.OneToOneField(Payment, models.PROTECT, related_name="bank_match")
    reason = models.CharField(max_length=10, choices=Reason)
    matched_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    matched_at = models.DateTimeField()
    undone_by = models.OneToOneField(Payment, models.PROTECT, null=True, related_name="undoes_bank_match")

    class Meta:
        verbose_name = _("match of a bank transaction")
        constraints = [
            models.CheckConstraint(condition=~Q(payment=F("undone_by")), name="bankmatch_undone_by_another")
        ]

    @property
    def is_linked(self) -> bool:
        """Return whether its payment was entered before, so that the match has paid nothing."""
        return self.payment.entered_at < self.matched_at


class BankCredit(models.Model):
    """One change of the credit that a payer has at a host in a currency; rows are never changed. `balance` is
    the credit after it: with the position, which nobody else has, it keeps the sum from going below zero.

    Credit is *kept* of a transaction, and *taken back* to it; *used* on a statement by a payment, and
    *returned* by the payment that reverses this one; *paid out* by a transaction below zero.
    """

    class Kind(models.TextChoices):
        KEPT = "kept", _("kept")
        TAKEN_BACK = "taken_back", _("taken back")
        USED = "used", _("used")
        RETURNED = "returned", _("returned")
        PAID_OUT = "paid_out", _("paid out")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    amount = amount_field()
    balance = amount_field()
    transaction = models.ForeignKey(BankTransaction, models.PROTECT, null=True, related_name="credits")
    payment = models.OneToOneField(Payment, models.PROTECT, null=True, related_name="bank_credit")
    # The use that a return takes back.
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("credit of a payer")
        constraints = [
            models.UniqueConstraint(
                fields=["host", "payer", "currency", "position"], name="bankcredit_position"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="bankcredit_not_zero"),
            models.CheckConstraint(condition=Q(balance__gte=0), name="bankcredit_not_below_zero"),
            models.CheckConstraint(
                condition=Q(kind="returned", reverses__isnull=False)
                | (~Q(kind="returned") & Q(reverses=None)),
                name="bankcredit_reverses",
            ),
            models.CheckConstraint(
                condition=Q(kind="used", payment__isnull=False, transaction=None, amount__lt=0)
                | Q(kind="returned", payment__isnull=False, transaction=None, amount__gt=0)
                | Q(kind="kept", payment=None, transaction__isnull=False, amount__gt=0)
                | Q(kind="paid_out", payment=None, transaction__isnull=False, amount__lt=0)
                | Q(kind="taken_back", payment=None, transaction__isnull=False),
                name="bankcredit_kind",
            ),
        ]

    def places(self) -> Places:
        return (self.host_id, self.payer_id), self.host.region.lineage
