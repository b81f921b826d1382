from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("bookings", "0013_money_checks"),
        ("instruments", "0011_policy_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name='reservation',
            name='policy_version',
            field=models.PositiveIntegerField(null=True),
        ),
    ]
