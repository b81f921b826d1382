import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    # Squawk's rules that it breaks, and why it may.
    safe = {
        "ban-drop-not-null": "money without a reservation is reserved by the new release only",
        "constraint-missing-not-valid": "it is added and validated in two transactions",
    }

    dependencies = [("bookings", "0070_default_sources"), ("instruments", "0032_priced_places")]

    operations = [
        # Django would take the foreign key away and put it back, which locks reservations.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="earmark",
                    name="reservation",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="earmarks",
                        to="bookings.reservation",
                    ),
                )
            ],
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE bookings_earmark ALTER COLUMN reservation_id DROP NOT NULL",
                    "ALTER TABLE bookings_earmark ALTER COLUMN reservation_id SET NOT NULL",
                )
            ],
        ),
        migrations.AddField(
            model_name="earmark",
            name="enrolment",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="earmarks",
                to="instruments.enrolment",
            ),
        ),
        AddConstraintNotValid(
            model_name="earmark",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("enrolment", None), ("reservation__isnull", False)),
                    models.Q(("enrolment__isnull", False), ("grant", None), ("reservation", None)),
                    _connector="OR",
                ),
                name="earmark_of_one_thing",
            ),
        ),
        ValidateConstraint(model_name="earmark", name="earmark_of_one_thing"),
    ]
