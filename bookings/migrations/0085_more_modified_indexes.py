from django.db import migrations, models

from accounts.models.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("bookings", "0084_more_modified")]

    operations = [
        AddIndexConcurrently(
            model_name=model, index=models.Index(fields=["modified", "id"], name=f"{model}_modified")
        )
        for model in ("sampleitem", "need", "enquiry", "handoff")
    ]
