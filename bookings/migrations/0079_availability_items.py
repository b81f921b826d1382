import django.db.models.deletion
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):

    dependencies = [("bookings", "0075_holding_periods"), ("instruments", "0033_booking_questions")]

    operations = [
        migrations.CreateModel(
            name="AvailabilityItem",
            fields=[
                (
                    "instrument",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="instruments.instrument",
                    ),
                ),
                ("modified", models.DateTimeField()),
                ("digest", models.CharField(max_length=64)),
                ("is_deleted", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "item of the availability feed",
                "indexes": [
                    models.Index(fields=["modified", "instrument"], name="availabilityitem_order"),
                    models.Index(
                        condition=models.Q(("is_deleted", True)),
                        fields=["modified"],
                        name="availabilityitem_deleted",
                    ),
                ],
            },
        )
    ]
