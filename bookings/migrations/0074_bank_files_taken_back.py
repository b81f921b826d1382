import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """A bank file that was read by mistake is taken back, and may be read again; a file says which lines at its
    end were left out."""

    safe = {
        "disallowed-unique-constraint": "no release has brought bank files so far",
        "constraint-missing-not-valid": "no release has brought bank files so far",
        "require-concurrent-index-creation": "no release has brought bank files so far",
        "ban-drop-constraint": "the next one takes its place",
    }

    dependencies = [
        ("bookings", "0073_returned_transfers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("bankfile", "left_out", models.JSONField(db_default=models.Value([], models.JSONField()), default=list)),
        migrations.AddField(
            "bankfile",
            "taken_back_by",
            models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("bankfile", "taken_back_at", models.DateTimeField(null=True)),
        migrations.RemoveConstraint("bankfile", "bankfile_once"),
        migrations.AddConstraint(
            "bankfile",
            models.UniqueConstraint(
                fields=("host", "sha256"),
                condition=models.Q(("taken_back_at", None)),
                name="bankfile_read_once",
            ),
        ),
    ]
