from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

from accounts.models.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    """Find the imports that workers go on with, also those that are being undone."""

    atomic = False

    dependencies = [("instruments", "0030_terms_of_imports")]

    operations = [
        AddIndexConcurrently(
            model_name="import",
            index=models.Index(
                fields=["created_at"],
                name="import_working",
                condition=models.Q(state__in=("reading", "applying", "undoing")),
            ),
        ),
        RemoveIndexConcurrently(model_name="import", name="import_at_work"),
    ]
