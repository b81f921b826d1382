from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """A person may choose the organisation that their requests are for when they name none."""

    dependencies = [("accounts", "0025_directories")]

    operations = [
        migrations.AddField(
            "membership", "is_default", models.BooleanField(db_default=False, default=False, editable=False)
        )
    ]
