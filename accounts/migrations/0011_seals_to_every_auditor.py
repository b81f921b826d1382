from django.db import migrations


class Migration(migrations.Migration):
    """Every auditor gets the newest seal; who wants it no more says so in the settings of messages."""

    dependencies = [
        ("accounts", "0010_invitations_a_day"),
    ]

    operations = [
        migrations.DeleteModel(
            name='SealReader',
        ),
    ]
