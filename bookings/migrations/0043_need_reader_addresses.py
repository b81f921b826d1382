import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    # Squawk's rules that it breaks, and why it may.
    safe = {
        "adding-field-with-default": "the default is a constant: one value for all rows, no rewrite",
    }

    dependencies = [
        ('bookings', '0042_links_of_hosts_filled'),
    ]

    operations = [
        migrations.AddField(
            model_name='need',
            name='reader_addresses',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=254), db_default=[], default=list, size=None),
        ),
    ]
