from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Statements get the payer's order number, the number of the tax invoice, and when the payer was last
    reminded."""

    dependencies = [("bookings", "0064_sample_lead_days")]

    operations = [
        migrations.AddField(
            "statement", "order_number", models.CharField(blank=True, db_default="", max_length=60)
        ),
        migrations.AddField(
            "statement", "invoice_number", models.CharField(blank=True, db_default="", max_length=60)
        ),
        migrations.AddField("statement", "reminded_at", models.DateTimeField(null=True)),
    ]
