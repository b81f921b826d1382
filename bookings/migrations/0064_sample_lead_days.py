from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    safe = {"constraint-missing-not-valid": "a row for each facility at most: the scan takes no time"}

    dependencies = [("bookings", "0063_questions_at_booking")]

    operations = [
        migrations.AddField(
            model_name="samplereceiving",
            name="lead_days",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="samplereceiving",
            constraint=models.CheckConstraint(
                condition=models.Q(("lead_days", None), ("lead_days__lte", 14), _connector="OR"),
                name="samplereceiving_lead_days",
            ),
        ),
    ]
