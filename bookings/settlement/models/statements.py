"""Statements of a month's charges of one payer at one host, settlements between two regions, and payments on
them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, Region, User
from accounts.models.keys import new_id
from bookings.pricing.models import Charge, ExchangeRate
from bookings.record.models.amounts import amount_field
from bookings.record.models.copies import Copied


class StatementCounter(models.Model):
    """The last number given by a host in a year; the row is locked while numbers are given."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    year = models.PositiveIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "year"], name="statementcounter_once")]


class Statement(Copied):
    """One payer's final charges of a month at one host in one currency. A voided statement keeps its number;
    its charges go to another statement."""

    class State(models.TextChoices):
        ISSUED = "issued", _("issued")
        PART_PAID = "part_paid", _("paid in part")
        PAID = "paid", _("paid")
        VOIDED = "voided", _("voided")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.ForeignKey(Organisation, models.PROTECT, related_name="statements")
    host_region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    payer_region = models.ForeignKey(Region, models.PROTECT, related_name="+")
    month = models.DateField()
    year = models.PositiveIntegerField()  # of its number
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.ISSUED)
    currency = models.CharField(max_length=3)
    charges = models.PositiveIntegerField()  # how many
    tax = amount_field()
    total = amount_field()
    covered = amount_field()
    payable = amount_field()
    paid = amount_field(default=0)
    issued_at = models.DateTimeField()
    due_date = models.DateField()
    # The amount in the payer's currency, if that is another, once a rate is known.
    payer_currency = models.CharField(max_length=3, blank=True)
    exchange_rate = models.ForeignKey(ExchangeRate, models.PROTECT, null=True, related_name="+")
    payer_payable = amount_field(null=True)
    voided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    voided_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=500, blank=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    order_number = models.CharField(max_length=60, blank=True, db_default="")  # the payer's
    # Of the fapiao or the electronic invoice that the host has issued for it elsewhere.
    invoice_number = models.CharField(max_length=60, blank=True, db_default="")
    reminded_at = models.DateTimeField(null=True)  # when its payer was last reminded that it is overdue
    # Invoice details of both as they were when it was drawn up, by `host` and `payer`; empty on older
    # statements.
    parties = models.JSONField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("statement")
        constraints = [
            models.UniqueConstraint(fields=["host", "year", "number"], name="statement_number"),
            models.UniqueConstraint(
                fields=["host", "payer", "month", "currency"],
                condition=~Q(state="voided"),
                name="statement_one_in_force",
            ),
            models.CheckConstraint(condition=Q(total=F("covered") + F("payable")), name="statement_sums"),
        ]
        indexes = [
            models.Index(fields=["payer", "-month"], name="statement_payer"),
            models.Index(fields=["issued_at", "id"], name="statement_issued"),
            models.Index(fields=["modified", "id"], name="statement_modified"),
        ]

    def places(self) -> Places:
        return (self.payer_id, self.host_id), (*self.host_region.lineage, *self.payer_region.lineage)


class StatementLine(models.Model):
    """The place of a charge on a statement. Each charge is on one statement in force at most."""

    id = models.BigAutoField(primary_key=True)
    statement = models.ForeignKey(Statement, models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    charge = models.ForeignKey(Charge, models.PROTECT, related_name="statement_lines")
    is_void = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["charge"], condition=Q(is_void=False), name="statementline_charge_once"
            ),
            models.UniqueConstraint(fields=["statement", "position"], name="statementline_position"),
        ]


class Settlement(Copied):
    """The amounts that two regions owe each other for vouchers of a month, in one currency. `first` is the
    one whose code comes first; `first_owes` what its organisations' vouchers paid at hosts of `second`."""

    class State(models.TextChoices):
        DRAWN_UP = "drawn_up", _("drawn up")
        CONFIRMED = "confirmed", _("confirmed")
        PART_PAID = "part_paid", _("paid in part")
        PAID = "paid", _("paid")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    first = models.ForeignKey(Region, models.PROTECT, related_name="+")
    second = models.ForeignKey(Region, models.PROTECT, related_name="+")
    month = models.DateField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State, default=State.DRAWN_UP)
    first_owes = amount_field()
    second_owes = amount_field()
    paid = amount_field(default=0)  # by the region that owes more
    drawn_up_at = models.DateTimeField()
    due_date = models.DateField()
    first_confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    first_confirmed_at = models.DateTimeField(null=True)
    second_confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    second_confirmed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("settlement")
        constraints = [
            models.UniqueConstraint(fields=["first", "second", "month", "currency"], name="settlement_once"),
            models.CheckConstraint(condition=~Q(first=F("second")), name="settlement_two"),
            # The coordinators of both regions confirm it, and they are two people.
            models.CheckConstraint(
                condition=Q(first_confirmed_by=None)
                | Q(second_confirmed_by=None)
                | ~Q(first_confirmed_by=F("second_confirmed_by")),
                name="settlement_two_people",
            ),
            models.CheckConstraint(
                condition=Q(state="drawn_up")
                | Q(first_confirmed_at__isnull=False, second_confirmed_at__isnull=False),
                name="settlement_confirmed_by_both",
            ),
        ]

    def places(self) -> Places:
        return (), (*self.first.lineage, *self.second.lineage)


class SettlementLine(models.Model):
    """One payer's use at one host within a settlement: listed, but not netted."""

    id = models.BigAutoField(primary_key=True)
    settlement = models.ForeignKey(Settlement, models.PROTECT, related_name="lines")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payer = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    charges = models.PositiveIntegerField()
    total = amount_field()
    covered = amount_field()
    payable = amount_field()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["settlement", "host", "payer"], name="settlementline_once")
        ]


class Payment(models.Model):
    """Money that arrived for a statement or a settlement; below zero if a payment was taken back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    statement = models.ForeignKey(Statement, models.PROTECT, null=True, related_name="payments")
    settlement = models.ForeignKey(Settlement, models.PROTECT, null=True, related_name="payments")
    amount = amount_field()
    currency = models.CharField(max_length=3)
    paid_on = models.DateField()
    reference = models.CharField(max_length=100, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()

    class Meta:
        verbose_name = _("payment")
        constraints = [
            models.CheckConstraint(
                condition=Q(statement__isnull=False, settlement=None)
                | Q(statement=None, settlement__isnull=False),
                name="payment_one_purpose",
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="payment_says_something"),
        ]
        indexes = [models.Index(fields=["entered_at", "id"], name="payment_entered")]


class PaymentNotice(models.Model):
    """A notice from a payer's finance that it has paid a statement. It is not money: once the host's finance
    has matched it with what arrived, `payment` is."""

    class State(models.TextChoices):
        REPORTED = "reported", _("reported")
        MATCHED = "matched", _("matched")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    statement = models.ForeignKey(Statement, models.PROTECT, related_name="notices")
    amount = amount_field()
    currency = models.CharField(max_length=3)
    paid_on = models.DateField()
    reference = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.REPORTED)
    reported_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)  # why it was refused
    payment = models.OneToOneField(Payment, models.PROTECT, null=True, related_name="notice")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("payment notice")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="paymentnotice_above_zero"),
            models.CheckConstraint(
                condition=Q(state="matched", payment__isnull=False) | (~Q(state="matched") & Q(payment=None)),
                name="paymentnotice_matched_is_paid",
            ),
            models.CheckConstraint(
                condition=Q(state="reported", decided_at=None)
                | (~Q(state="reported") & Q(decided_at__isnull=False)),
                name="paymentnotice_decided",
            ),
        ]
        indexes = [
            models.Index(fields=["statement"], condition=Q(state="reported"), name="paymentnotice_waiting")
        ]
