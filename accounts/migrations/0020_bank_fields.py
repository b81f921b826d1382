from django.db import migrations, models

from accounts.models.steps import Stepwise

LENGTHS = {"bank_name": 120, "account_number": 40, "iban": 34, "bic": 11, "order_number": 60}


class Migration(Stepwise):
    """Organisations get the bank details that their country knows, and their usual order number. What was
    entered as lines stays."""

    dependencies = [("accounts", "0019_roles_with_a_scope")]

    operations = [
        migrations.AddField(
            "organisation", name, models.CharField(blank=True, db_default="", max_length=length)
        )
        for name, length in LENGTHS.items()
    ]
