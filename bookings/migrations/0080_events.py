import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Events are stored once, for those who read them in order; a delivery names its event."""

    dependencies = [("bookings", "0079_availability_items")]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("number", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("about", models.UUIDField(null=True)),
                ("cause", models.CharField(max_length=200, unique=True)),
                (
                    "organisations",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField()),
                ),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "event",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["organisations"], name="event_organisations"
                    ),
                    models.Index(fields=["created_at"], name="event_age"),
                ],
            },
        ),
        migrations.AlterField("webhookdelivery", "body", models.TextField(blank=True)),
        migrations.AddField(
            "webhookdelivery",
            "told",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="bookings.event",
            ),
        ),
    ]
