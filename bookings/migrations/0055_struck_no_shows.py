from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    dependencies = [("bookings", "0054_options_added_on_use")]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="struck",
            field=models.CharField(
                blank=True,
                choices=[
                    ("was_there", "the person was there"),
                    ("host_fault", "it was the owner's fault"),
                    ("other", "another reason"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        )
    ]
