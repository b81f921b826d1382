from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0010_no_shows'),
        ('instruments', '0010_policy_versions'),
    ]

    operations = [
        migrations.AddField(
            model_name='reservation',
            name='policy_version',
            field=models.PositiveIntegerField(null=True),
        ),
    ]
