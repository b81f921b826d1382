"""Each instrument gets a short code, which its label leads to.

Codes are given in batches and the index is built beside the work of others. The release before,
which knows nothing of codes, inserts by the database's default until it has stopped.
"""

from django.db import migrations, models, transaction

import instruments.register.models.instruments
from instruments.register.models.instruments import new_short_code

BATCH = 1000
TABLE = "instruments_instrument"
RANDOM = "substr(translate(upper(md5(gen_random_uuid()::text)), '01', 'GH'), 1, 8)"


def give_codes(apps, schema_editor):
    rows = apps.get_model("instruments", "Instrument").objects
    taken = set(rows.exclude(short_code=None).values_list("short_code", flat=True))
    while True:
        with transaction.atomic():
            # Whoever changes one at the moment has the next batch.
            some = rows.filter(short_code=None).select_for_update(no_key=True)
            batch = list(some.only("pk").order_by("pk")[:BATCH])
            if not batch:
                return
            for row in batch:
                while (code := new_short_code()) in taken:
                    pass
                taken.add(code)
                row.short_code = code
            rows.bulk_update(batch, ["short_code"])


class Migration(migrations.Migration):
    atomic = False
    safe = {"prefer-robust-stmts": "to set a default again changes nothing"}  # noqa: RUF012

    dependencies = [
        ("instruments", "0019_house_rules"),
    ]

    operations = [
        # What was done already when it broke off is left as it is.
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS short_code varchar(8) NULL",
                    f"ALTER TABLE {TABLE} DROP COLUMN short_code",
                )
            ],
            [
                migrations.AddField(
                    "instrument",
                    "short_code",
                    models.CharField(editable=False, max_length=8, null=True),
                )
            ],
        ),
        migrations.RunSQL(
            f"ALTER TABLE {TABLE} ALTER COLUMN short_code SET DEFAULT {RANDOM}",
            f"ALTER TABLE {TABLE} ALTER COLUMN short_code DROP DEFAULT",
        ),
        migrations.RunPython(give_codes, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            [
                # Transactions that began before are waited for, which keeps nobody from writing.
                migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
                migrations.RunSQL(
                    "DROP INDEX CONCURRENTLY IF EXISTS instrument_short_code",
                    migrations.RunSQL.noop,
                ),
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS instrument_short_code"
                    f" ON {TABLE} (short_code) WHERE short_code IS NOT NULL",
                    "DROP INDEX CONCURRENTLY IF EXISTS instrument_short_code",
                ),
                migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
            ],
            [
                migrations.AddConstraint(
                    "instrument",
                    models.UniqueConstraint(
                        fields=["short_code"],
                        condition=models.Q(short_code__isnull=False),
                        name="instrument_short_code",
                    ),
                ),
                migrations.AlterField(
                    "instrument",
                    "short_code",
                    models.CharField(
                        default=instruments.register.models.instruments.new_short_code,
                        editable=False,
                        max_length=8,
                        null=True,
                    ),
                ),
            ],
        ),
    ]
