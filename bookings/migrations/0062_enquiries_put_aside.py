import django.contrib.postgres.fields
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    dependencies = [("bookings", "0061_report_formats")]

    operations = [
        migrations.AddField(
            model_name="enquiry",
            name="put_aside_by",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), db_default=[], default=list, size=None
            ),
        ),
    ]
