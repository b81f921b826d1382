import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

GROUPS = {
    "branch": "technique",
    "home": "region|host",
    "makers": "maker",
    "form": "service_mode|kind",
}


def group(**options) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="instruments.searchgroup",
        **options,
    )


# The same as services/search does: the keys of a kind in the order of their bytes, and their
# digest as the name.
KEYS = "ARRAY(SELECT k FROM unnest(keys) k WHERE k ~ '^({}):' ORDER BY k COLLATE \"C\")"
ID = "md5(array_to_string({}, E'\\n'))::uuid"


def filled() -> list[str]:
    statements = []
    for kinds in GROUPS.values():
        keys = KEYS.format(kinds)
        statements.append(
            f"""
            INSERT INTO instruments_searchgroup (id, keys)
            SELECT DISTINCT {ID.format("k")}, k
            FROM (SELECT {keys} AS k FROM instruments_searchentry) s
            ON CONFLICT DO NOTHING
            """  # noqa: S608
        )
    columns = ", ".join(f"{n}_id = {ID.format(KEYS.format(kinds))}" for n, kinds in GROUPS.items())
    statements.append(f"UPDATE instruments_searchentry SET {columns}")  # noqa: S608
    statements.append("SET CONSTRAINTS ALL IMMEDIATE")  # before the columns change again
    return statements


class Migration(migrations.Migration):
    dependencies = [
        ("instruments", "0008_training"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchGroup",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("keys", django.contrib.postgres.fields.ArrayField(base_field=models.TextField())),
            ],
        ),
        *(
            migrations.AddField("searchentry", name, group(null=True))
            for name in ("branch", "home", "makers", "form")
        ),
        migrations.RunSQL(filled(), migrations.RunSQL.noop),
        *(
            migrations.AlterField("searchentry", name, group())
            for name in ("branch", "home", "makers", "form")
        ),
    ]
