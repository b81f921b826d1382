"""The chart of accounts of an organisation, its rules, and the closed months of its journals."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.funding.models import FundingSource
from bookings.journal.domain.charts import RULE_ROLES
from bookings.record.models.amounts import amount_field
from instruments.register.models import Facility, Instrument


class ChartAccount(models.Model):
    """An account of an organisation's chart. `retired_at`: since when no new rule may name it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="chart_accounts")
    number = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    retired_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("account")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="chartaccount_number"),
            models.CheckConstraint(condition=~Q(number="") & ~Q(name=""), name="chartaccount_named"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    def places(self) -> Places:
        return self.organisation.places()


class AccountRule(models.Model):
    """A rule that lines of a role go to an account from a day on, for everything or for one thing;
    `account` null: to none from then on. It is never altered: another rule for the same takes its place
    from its own day, the newest of one day. The database refuses every UPDATE, DELETE and TRUNCATE."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="account_rules")
    role = models.CharField(max_length=24)
    account = models.ForeignKey(ChartAccount, models.PROTECT, null=True, related_name="rules")
    instrument = models.ForeignKey(Instrument, models.PROTECT, null=True, related_name="+", db_index=False)
    facility = models.ForeignKey(Facility, models.PROTECT, null=True, related_name="+", db_index=False)
    source = models.ForeignKey(FundingSource, models.PROTECT, null=True, related_name="+", db_index=False)
    currency = models.CharField(max_length=3, blank=True)
    tax_percent = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    cost_centre = models.CharField(max_length=40, blank=True)
    tax_code = models.CharField(max_length=20, blank=True)
    valid_from = models.DateField()
    set_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        verbose_name = _("rule of the chart of accounts")
        constraints = [
            models.CheckConstraint(condition=Q(role__in=sorted(RULE_ROLES)), name="accountrule_role"),
            models.CheckConstraint(
                condition=Q(facility=None, source=None, currency="", tax_percent=None)
                | Q(instrument=None, source=None, currency="", tax_percent=None)
                | Q(instrument=None, facility=None, currency="", tax_percent=None)
                | Q(instrument=None, facility=None, source=None, tax_percent=None)
                | Q(instrument=None, facility=None, source=None, currency=""),
                name="accountrule_one_limit",
            ),
            models.CheckConstraint(
                condition=Q(role="cost_centre", account=None) | (~Q(role="cost_centre") & Q(cost_centre="")),
                name="accountrule_cost_centre",
            ),
        ]

    def places(self) -> Places:
        return self.organisation.places()


class JournalMonth(models.Model):
    """The journal of a month that an organisation has closed on one side, as host or as payer: what it says
    is kept with its `lines` and never altered. `sums` are those of its accounts, and of its lines by role;
    `digest` is the SHA-256 of its lines. The database refuses every UPDATE, DELETE and TRUNCATE of both."""

    class Side(models.TextChoices):
        HOST = "host", _("as host")
        PAYER = "payer", _("as payer")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="journal_months")
    side = models.CharField(max_length=5, choices=Side)
    month = models.DateField()
    entries = models.PositiveIntegerField()
    sums = models.JSONField()
    digest = models.CharField(max_length=64)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("closed month of the journal")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "side", "month"], name="journalmonth_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="journalmonth_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

    def places(self) -> Places:
        return self.organisation.places()


class JournalLine(models.Model):
    """A line of a closed month: of the entry `number` the line `position`. `row` is the id of the row of the
    ledger (or of the bank) that it comes from, of the kind `kind`; `thing` that of its charge or statement.
    """

    id = models.BigAutoField(primary_key=True)
    journal = models.ForeignKey(JournalMonth, models.PROTECT, related_name="lines", db_index=False)
    number = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10)
    row = models.UUIDField()
    thing = models.UUIDField(null=True)
    date = models.DateField()
    document_date = models.DateField()
    document = models.CharField(max_length=100)
    statement = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=300)
    text_zh = models.CharField(max_length=300, blank=True)
    role = models.CharField(max_length=24)
    account = models.CharField(max_length=20)
    account_name = models.CharField(max_length=200)
    account_name_zh = models.CharField(max_length=200, blank=True)
    debit = amount_field(default=0)
    credit = amount_field(default=0)
    currency = models.CharField(max_length=3)
    cost_centre = models.CharField(max_length=40, blank=True)
    tax_code = models.CharField(max_length=20, blank=True)
    tax_percent = models.DecimalField(max_digits=9, decimal_places=4, null=True)
    partner = models.CharField(max_length=40)
    partner_name = models.CharField(max_length=200)
    partner_name_zh = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["journal", "number", "position"], name="journalline_once"),
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="journalline_one_side"
            ),
            models.CheckConstraint(
                condition=~Q(account="") & ~Q(debit=F("credit")), name="journalline_account"
            ),
        ]
        indexes = [models.Index(fields=["row"], name="journalline_row")]
