import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    dependencies = [
        ("bookings", "0055_struck_no_shows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    safe = {
        "constraint-missing-not-valid": "reports of faults are few",
        "ban-drop-not-null": "the release before shows a note of a kiosk without a name",
    }

    operations = [
        # Django would drop the key to the people, and make it anew under a lock of them.
        migrations.RunSQL(
            "ALTER TABLE bookings_faultnote ALTER COLUMN user_id DROP NOT NULL",
            "ALTER TABLE bookings_faultnote ALTER COLUMN user_id SET NOT NULL",
            state_operations=[
                migrations.AlterField(
                    model_name="faultnote",
                    name="user",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                )
            ],
        ),
        migrations.AddField(
            model_name="faultnote",
            name="kiosk",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="bookings.kiosk",
            ),
        ),
        migrations.AddConstraint(
            model_name="faultnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kiosk", None), ("user__isnull", False)),
                    models.Q(("kiosk__isnull", False), ("user", None)),
                    _connector="OR",
                ),
                name="faultnote_of_one",
            ),
        ),
    ]
