from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    dependencies = [("instruments", "0032_priced_places")]

    operations = [
        migrations.AddField(
            model_name="instrument",
            name="booking_questions",
            field=models.PositiveIntegerField(editable=False, null=True),
        )
    ]
