import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    # Squawk's rules that it breaks, and why it may.
    safe = {
        "adding-field-with-default": "the default is a constant: one value for all rows, no rewrite",
    }

    dependencies = [
        ('instruments', '0024_techniques_of_entries'),
    ]

    operations = [
        migrations.AddField(
            model_name='facility',
            name='refused_hazards',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), db_default=[], default=list),
        ),
    ]
