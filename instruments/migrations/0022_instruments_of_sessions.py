"""A course session says which instrument it takes up: those ahead, the one that they certify for."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F
from django.utils import timezone

from accounts.models.steps import Stepwise


def fill(apps, schema_editor):
    sessions = apps.get_model("instruments", "CourseSession").objects
    ahead = sessions.filter(cancelled_at=None, start_at__gt=timezone.now(), instrument=None)
    for row in ahead.annotate(of_course=F("course__instrument_id")).exclude(of_course=None):
        sessions.filter(pk=row.pk).update(instrument_id=row.of_course)


class Migration(Stepwise):
    dependencies = [("instruments", "0021_kept_hours")]

    operations = [
        migrations.AddField(
            model_name="coursesession",
            name="instrument",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="instruments.instrument",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
