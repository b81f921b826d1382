import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.models.keys
from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Remember what values of files mean, and keep what an import needs to be undone."""

    dependencies = [
        ("accounts", "0018_access_requests"),
        ("instruments", "0029_house_rules_on_behalf"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportTerm",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("field", models.CharField(max_length=20)),
                ("value", models.CharField(max_length=200)),
                ("term", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="import_terms",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "remembered value",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "field", "value"), name="import_term_unique"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="import", name="unknown_values", field=models.JSONField(db_default=[], default=list)
        ),
        migrations.AddField(
            model_name="import",
            name="unlisted_values",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="import", name="new_facilities", field=models.JSONField(db_default=[], default=list)
        ),
        migrations.AddField(model_name="import", name="undone_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="import",
            name="undone_by",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="import",
            name="state",
            field=models.CharField(
                choices=[
                    ("reading", "being read"),
                    ("unmapped", "columns to be mapped"),
                    ("ready", "to be reviewed"),
                    ("applying", "running"),
                    ("done", "done"),
                    ("refused", "refused"),
                    ("cancelled", "cancelled"),
                    ("undoing", "being undone"),
                    ("undone", "undone"),
                ],
                default="reading",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="importrow",
            name="result",
            field=models.CharField(
                choices=[
                    ("created", "new"),
                    ("changed", "changed"),
                    ("unchanged", "unchanged"),
                    ("refused", "left out"),
                    ("undone", "undone"),
                ],
                max_length=10,
            ),
        ),
    ]
