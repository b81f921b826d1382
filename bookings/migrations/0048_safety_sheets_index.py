from django.db import migrations, models

from accounts.models.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('bookings', '0047_safety_sheets'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='sampleitem',
            index=models.Index(condition=models.Q(('sheet', None), _negated=True), fields=['sheet'], name='sample_sheet'),
        ),
    ]
