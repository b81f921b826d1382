import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import accounts.models.keys
from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Tables of what directories of organisations (SCIM) keep."""

    safe = {
        "require-concurrent-index-creation": "of tables that are new",
        "constraint-missing-not-valid": "of tables that are new",
    }

    dependencies = [
        ('accounts', '0024_service_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Directory',
            fields=[
                ('organisation', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='directory', serialize=False, to='accounts.organisation')),
                ('group_ids', models.JSONField(default=dict)),
                ('seen_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'directory',
            },
        ),
        migrations.CreateModel(
            name='DirectoryPerson',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('user_name', models.CharField(max_length=254)),
                ('external_id', models.CharField(blank=True, max_length=254)),
                ('display_name', models.CharField(blank=True, max_length=200)),
                ('emails', models.JSONField(default=list)),
                ('email', models.EmailField(max_length=254)),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list, size=None)),
                ('ended_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('invitation', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.invitation')),
                ('organisation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('user', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'person of a directory',
                'constraints': [models.UniqueConstraint(models.F('organisation'), django.db.models.functions.text.Lower('user_name'), name='directoryperson_one_name'), models.UniqueConstraint(condition=models.Q(('user__isnull', False)), fields=('organisation', 'user'), name='directoryperson_once')],
            },
        ),
    ]
