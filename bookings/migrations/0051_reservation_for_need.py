from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    dependencies = [("bookings", "0050_conversation_of_bids")]

    operations = [
        migrations.AddField(model_name="reservation", name="for_need", field=models.UUIDField(null=True))
    ]
