from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Columns for what callers note for their own systems at bookings, needs and samples."""

    # Squawk's rules that it breaks, and why it may.
    safe = {"adding-field-with-default": "the default is a constant: one value for all rows, no rewrite"}

    dependencies = [("bookings", "0080_events")]

    operations = [
        migrations.AddField(model_name=model, name=name, field=field)
        for model in ("reservation", "need", "sampleitem")
        for name, field in (
            ("reference", models.CharField(blank=True, db_default="", default="", max_length=64)),
            ("metadata", models.JSONField(blank=True, db_default={}, default=dict)),
        )
    ]
