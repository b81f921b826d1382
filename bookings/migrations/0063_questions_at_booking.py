from django.db import migrations, models

from accounts.models.steps import Stepwise

MOMENTS = [("before", "before use"), ("after", "after use"), ("booking", "when booking")]


class Migration(Stepwise):
    safe = {"changing-column-type": "a longer varchar rewrites nothing"}

    dependencies = [("bookings", "0062_enquiries_put_aside")]

    operations = [
        migrations.AlterField(
            model_name=name, name="moment", field=models.CharField(choices=MOMENTS, max_length=7)
        )
        for name in ("questionnaire", "answersheet", "answerfile")
    ]
