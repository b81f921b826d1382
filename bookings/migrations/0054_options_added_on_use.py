from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    dependencies = [("bookings", "0053_fault_repairs")]

    operations = [
        migrations.AddField(
            model_name="usagesession", name="added", field=models.JSONField(db_default={}, default=dict)
        )
    ]
