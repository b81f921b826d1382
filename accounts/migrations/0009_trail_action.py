from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_token_second_factor'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='trailentry',
            index=models.Index(fields=['action', 'at'], name='trail_action', opclasses=['varchar_pattern_ops', 'timestamptz_ops']),
        ),
    ]
