import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.models.keys
from accounts.models.steps import Stepwise

TABLES = ("accountrule", "journalmonth", "journalline")
# What is in force on a day, and what is closed, is never altered, as postings are not.
KEPT = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON bookings_{table}
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON bookings_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""
    for table in TABLES
)
UNDONE = "".join(
    f"DROP TRIGGER {table}_{what} ON bookings_{table};"
    for table in TABLES
    for what in ("append_only", "no_truncate")
)


class Migration(Stepwise):
    """Charts of accounts, and the closed months of journals."""

    dependencies = [
        ("accounts", "0020_bank_fields"),
        ("bookings", "0066_bank_files"),
        ("instruments", "0033_booking_questions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChartAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=200)),
                ("name_zh", models.CharField(blank=True, max_length=200)),
                ("retired_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chart_accounts",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "account",
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "number"), name="chartaccount_number"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number", ""), _negated=True), models.Q(("name", ""), _negated=True)
                        ),
                        name="chartaccount_named",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("role", models.CharField(max_length=24)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("tax_percent", models.DecimalField(decimal_places=4, max_digits=9, null=True)),
                ("cost_centre", models.CharField(blank=True, max_length=40)),
                ("tax_code", models.CharField(blank=True, max_length=20)),
                ("valid_from", models.DateField()),
                ("set_at", models.DateTimeField()),
                (
                    "facility",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="instruments.facility",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="instruments.instrument",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account_rules",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="bookings.fundingsource",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rules",
                        to="bookings.chartaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "rule of the chart of accounts",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "advances",
                                    "bank",
                                    "cost",
                                    "cost_centre",
                                    "input_tax",
                                    "internal_cost",
                                    "internal_income",
                                    "output_tax",
                                    "paid_from",
                                    "payable",
                                    "prepaid",
                                    "receivable",
                                    "revenue_cancellation",
                                    "revenue_consumables",
                                    "revenue_training",
                                    "revenue_usage",
                                    "voucher_income",
                                    "vouchers",
                                ],
                            )
                        ),
                        name="accountrule_role",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("currency", ""), ("facility", None), ("source", None), ("tax_percent", None)
                            ),
                            models.Q(
                                ("currency", ""),
                                ("instrument", None),
                                ("source", None),
                                ("tax_percent", None),
                            ),
                            models.Q(
                                ("currency", ""),
                                ("facility", None),
                                ("instrument", None),
                                ("tax_percent", None),
                            ),
                            models.Q(
                                ("facility", None),
                                ("instrument", None),
                                ("source", None),
                                ("tax_percent", None),
                            ),
                            models.Q(
                                ("currency", ""), ("facility", None), ("instrument", None), ("source", None)
                            ),
                            _connector="OR",
                        ),
                        name="accountrule_one_limit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account", None), ("role", "cost_centre")),
                            models.Q(models.Q(("role", "cost_centre"), _negated=True), ("cost_centre", "")),
                            _connector="OR",
                        ),
                        name="accountrule_cost_centre",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JournalMonth",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "side",
                    models.CharField(choices=[("host", "as host"), ("payer", "as payer")], max_length=5),
                ),
                ("month", models.DateField()),
                ("entries", models.PositiveIntegerField()),
                ("sums", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("closed_at", models.DateTimeField()),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="journal_months",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "closed month of the journal",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "side", "month"), name="journalmonth_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="journalmonth_first_day"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JournalLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("position", models.PositiveSmallIntegerField()),
                ("kind", models.CharField(max_length=10)),
                ("row", models.UUIDField()),
                ("thing", models.UUIDField(null=True)),
                ("date", models.DateField()),
                ("document_date", models.DateField()),
                ("document", models.CharField(max_length=100)),
                ("statement", models.CharField(blank=True, max_length=60)),
                ("text", models.CharField(max_length=300)),
                ("text_zh", models.CharField(blank=True, max_length=300)),
                ("role", models.CharField(max_length=24)),
                ("account", models.CharField(max_length=20)),
                ("account_name", models.CharField(max_length=200)),
                ("account_name_zh", models.CharField(blank=True, max_length=200)),
                ("debit", models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ("credit", models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ("currency", models.CharField(max_length=3)),
                ("cost_centre", models.CharField(blank=True, max_length=40)),
                ("tax_code", models.CharField(blank=True, max_length=20)),
                ("tax_percent", models.DecimalField(decimal_places=4, max_digits=9, null=True)),
                ("partner", models.CharField(max_length=40)),
                ("partner_name", models.CharField(max_length=200)),
                ("partner_name_zh", models.CharField(blank=True, max_length=200)),
                (
                    "journal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="bookings.journalmonth",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("journal", "number", "position"), name="journalline_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credit", 0), ("debit__gt", 0)),
                            models.Q(("credit__gt", 0), ("debit", 0)),
                            _connector="OR",
                        ),
                        name="journalline_one_side",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account", ""), _negated=True),
                            models.Q(("debit", models.F("credit")), _negated=True),
                        ),
                        name="journalline_account",
                    ),
                ],
                "indexes": [models.Index(fields=["row"], name="journalline_row")],
            },
        ),
        migrations.RunSQL(KEPT, UNDONE),
    ]
