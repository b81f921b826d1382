from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

from accounts.models.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("bookings", "0058_charges_of_courses")]

    operations = [
        AddIndexConcurrently(
            model_name="charge",
            index=models.Index(
                condition=models.Q(("enrolment__isnull", False)),
                fields=["enrolment"],
                name="charge_enrolment",
            ),
        ),
        # Built while charges are written, which Django's own operation does not.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name="charge",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(
                            ("kind", "training"), models.Q(("state", "reversed"), _negated=True)
                        ),
                        fields=("enrolment",),
                        name="charge_one_of_a_place",
                    ),
                )
            ],
            database_operations=[
                # Transactions that began before are waited for; one that broke off is not left as it is.
                migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
                migrations.RunSQL(
                    "DROP INDEX CONCURRENTLY IF EXISTS charge_one_of_a_place",
                    migrations.RunSQL.noop,
                ),
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS charge_one_of_a_place"
                    " ON bookings_charge (enrolment_id) WHERE kind = 'training' AND NOT (state = 'reversed')",
                    "DROP INDEX CONCURRENTLY IF EXISTS charge_one_of_a_place",
                ),
                migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
            ],
        ),
        # Takes the place of `charge_listed`, which lacks the place in a course.
        AddIndexConcurrently(
            model_name="charge",
            index=models.Index(
                fields=["created_at", "id"],
                include=(
                    "organisation",
                    "host",
                    "payer_region",
                    "host_region",
                    "reservation",
                    "enrolment",
                    "state",
                    "kind",
                    "month",
                    "currency",
                    "total",
                    "covered",
                    "payable",
                ),
                name="charge_listing",
            ),
        ),
        RemoveIndexConcurrently(model_name="charge", name="charge_listed"),
    ]
