from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    dependencies = [("bookings", "0052_plainer_choices")]

    operations = [
        migrations.AddField(
            model_name="usagesession",
            name="added",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
