import django.contrib.postgres.indexes
from django.db import migrations

from accounts.models.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('bookings', '0043_need_reader_addresses'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='need',
            index=django.contrib.postgres.indexes.GinIndex(fields=['reader_addresses'], name='need_reader_addresses'),
        ),
    ]
