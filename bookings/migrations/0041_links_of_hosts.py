"""Links and receipts say whether a recipient or the host is behind them."""

from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    # Squawk's rules that it breaks, and why it may.
    safe = {
        "adding-field-with-default": "the default is a constant: no rewrite",
    }

    dependencies = [
        ("bookings", "0040_answer_files_created"),
    ]

    operations = [
        migrations.AddField(
            model_name="collectlink",
            name="is_delivery",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="collectlink",
            name="is_of_host",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="receipt",
            name="is_of_host",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="receipt",
            name="parts",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()), default=list
            ),
        ),
    ]
