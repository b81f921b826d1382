import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.models.keys
from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Exceptions get what is at stake and their risk; the weights of rules are dated rows; several exceptions
    may be confirmed by one finding."""

    safe = {
        "constraint-missing-not-valid": "of a column that is new, with one value in all rows",
        "require-concurrent-index-creation": "the column is new and empty; a run of rules waits for moments",
    }

    dependencies = [
        ("bookings", "0067_journal"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RiskWeight",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("rule", models.CharField(max_length=30)),
                ("weight", models.PositiveSmallIntegerField()),
                ("valid_from", models.DateField()),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("entered_at", models.DateTimeField()),
                (
                    "entered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "weight of an audit rule",
                "constraints": [
                    models.UniqueConstraint(fields=("rule", "valid_from"), name="riskweight_one_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(("weight__gte", 1), ("weight__lte", 100)), name="riskweight_range"
                    ),
                ],
            },
        ),
        migrations.AddField(
            "auditexception", "amount", models.DecimalField(decimal_places=3, max_digits=18, null=True)
        ),
        migrations.AddField(
            "auditexception", "currency", models.CharField(blank=True, db_default="", max_length=3)
        ),
        migrations.AddField("auditexception", "weight", models.PositiveSmallIntegerField(null=True)),
        migrations.AddField("auditexception", "share", models.PositiveSmallIntegerField(null=True)),
        migrations.AddField(
            "auditexception", "risk", models.PositiveSmallIntegerField(db_default=0, default=0)
        ),
        migrations.AddConstraint(
            "auditexception",
            models.CheckConstraint(condition=models.Q(("risk__lte", 100)), name="exception_risk"),
        ),
        migrations.AddField(
            "auditexception",
            "raised_in",
            models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="others",
                to="bookings.auditfinding",
            ),
        ),
    ]
