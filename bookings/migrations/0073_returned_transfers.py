import django.db.models.deletion
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """A transaction says which transfer it takes back; a file, how many entries were left out as the bank had
    yet to book them."""

    safe = {
        "disallowed-unique-constraint": "no release has brought bank transactions so far",
        "constraint-missing-not-valid": "no release has brought bank transactions so far",
        "adding-foreign-key-constraint": "no release has brought bank transactions so far",
    }

    dependencies = [("bookings", "0072_earmarks_of_places_index")]

    operations = [
        migrations.AddField("bankfile", "not_booked", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField(
            "banktransaction",
            "returns",
            models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="returned_by",
                to="bookings.banktransaction",
            ),
        ),
    ]
