import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Charges get the tick of the host that checked them, and who ticked it: without a constraint of the
    database, so that the people of a busy platform are not locked."""

    dependencies = [
        ("bookings", "0056_faults_at_kiosks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("charge", "checked_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "charge",
            "checked_by",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
