"""Entries get the techniques that decide how relevant they are, when they are filed anew (`file_search`)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("instruments", "0023_words")]

    operations = [
        migrations.RunSQL(
            "UPDATE instruments_searchentry SET strong = ''", reverse_sql=migrations.RunSQL.noop
        )
    ]
