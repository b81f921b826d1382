from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    # Squawk's rules that it breaks, and why it may. A new constraint stands before the old one goes.
    safe = {
        "ban-drop-constraint": "a wider one took its place before",
        "require-concurrent-index-deletion": "the index of so few rows is gone at once",
        "disallowed-unique-constraint": "there are a few roles for each person: the index takes no time",
        "constraint-missing-not-valid": "there are a few roles for each person: the scan takes no time",
        "require-concurrent-index-creation": "there are a few roles for each person: it takes no time",
    }

    dependencies = [
        ('accounts', '0018_access_requests'),
    ]

    operations = [
        migrations.AddField(
            model_name='rolegrant',
            name='facility_id',
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='rolegrant',
            name='instrument_id',
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='rolegrant',
            name='role',
            field=models.CharField(choices=[('researcher', 'researcher'), ('manager', 'manager'), ('operator', 'operator'), ('finance', 'finance'), ('coordinator', 'coordinator'), ('auditor', 'auditor'), ('administrator', 'administrator')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('organisation__isnull', False), ('region', None), ('role__in', ['finance', 'manager', 'operator', 'researcher'])), models.Q(('organisation', None), ('region__isnull', False), ('role__in', ['auditor', 'coordinator'])), models.Q(('organisation', None), ('region', None), ('role__in', ['administrator'])), _connector='OR'), name='rolegrant_place_fits_role'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('facility_id', None), ('instrument_id', None)), models.Q(('facility_id', None), ('role__in', ['manager', 'operator'])), models.Q(('instrument_id', None), ('role__in', ['manager', 'operator'])), _connector='OR'), name='rolegrant_one_scope'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('user', 'role', 'organisation', 'region', 'facility_id', 'instrument_id'), name='rolegrant_once_a_scope', nulls_distinct=False),
        ),
        migrations.RemoveConstraint(
            model_name='rolegrant',
            name='rolegrant_scope_fits_role',
        ),
        migrations.RemoveConstraint(
            model_name='rolegrant',
            name='rolegrant_once',
        ),
    ]
