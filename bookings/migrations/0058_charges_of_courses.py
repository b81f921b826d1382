import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    # Squawk's rules that it breaks, and why it may.
    safe = {
        "ban-drop-constraint": "it is put back with the new kind of charge",
        "ban-drop-not-null": "charges without a reservation are made by the new release only",
        "constraint-missing-not-valid": "it is added and validated in two transactions",
    }

    dependencies = [("bookings", "0057_charge_checks"), ("instruments", "0032_priced_places")]

    operations = [
        # Django would take the foreign key away and put it back, which locks reservations and reads all charges.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="charge",
                    name="reservation",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="bookings.reservation",
                    ),
                )
            ],
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE bookings_charge ALTER COLUMN reservation_id DROP NOT NULL",
                    "ALTER TABLE bookings_charge ALTER COLUMN reservation_id SET NOT NULL",
                )
            ],
        ),
        migrations.AddField(
            model_name="charge",
            name="enrolment",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="instruments.enrolment",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="kind",
            field=models.CharField(
                choices=[
                    ("use", "use"),
                    ("cancellation", "cancellation"),
                    ("no_show", "not used"),
                    ("reversal", "reversal"),
                    ("melting", "used by others"),
                    ("training", "course attended"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="correction",
            name="kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("use", "use"),
                    ("cancellation", "cancellation"),
                    ("no_show", "not used"),
                    ("reversal", "reversal"),
                    ("melting", "used by others"),
                    ("training", "course attended"),
                ],
                max_length=12,
            ),
        ),
        migrations.RemoveConstraint(model_name="charge", name="charge_reverses_one"),
        AddConstraintNotValid(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["reversal", "melting"]), ("reverses__isnull", False)),
                    models.Q(
                        ("kind__in", ["use", "cancellation", "no_show", "training"]), ("reverses", None)
                    ),
                    _connector="OR",
                ),
                name="charge_reverses_one",
            ),
        ),
        AddConstraintNotValid(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("enrolment", None), ("reservation__isnull", False)),
                    models.Q(
                        ("enrolment__isnull", False),
                        ("kind__in", ["training", "reversal"]),
                        ("reservation", None),
                    ),
                    _connector="OR",
                ),
                name="charge_of_one_thing",
            ),
        ),
        ValidateConstraint(model_name="charge", name="charge_reverses_one"),
        ValidateConstraint(model_name="charge", name="charge_of_one_thing"),
    ]
