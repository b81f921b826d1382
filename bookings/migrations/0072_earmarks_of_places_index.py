from django.db import migrations, models

from accounts.models.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("bookings", "0071_earmarks_of_places")]

    operations = [
        AddIndexConcurrently(
            model_name="earmark",
            index=models.Index(
                condition=models.Q(("enrolment__isnull", False)),
                fields=["enrolment"],
                name="earmark_enrolment",
            ),
        ),
        # Built while money is reserved, which Django's own operation does not.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name="earmark",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("enrolment__isnull", False), ("released_at", None)),
                        fields=("enrolment", "source"),
                        name="earmark_place_once",
                    ),
                )
            ],
            database_operations=[
                # Transactions that began before are waited for; one that broke off is not left as it is.
                migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
                migrations.RunSQL(
                    "DROP INDEX CONCURRENTLY IF EXISTS earmark_place_once", migrations.RunSQL.noop
                ),
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS earmark_place_once"
                    " ON bookings_earmark (enrolment_id, source_id)"
                    " WHERE enrolment_id IS NOT NULL AND released_at IS NULL",
                    "DROP INDEX CONCURRENTLY IF EXISTS earmark_place_once",
                ),
                migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
            ],
        ),
    ]
