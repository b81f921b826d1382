import accounts.models.keys
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    safe = {"ban-drop-not-null": "the release before reads only tokens that expire: others are no person's"}

    dependencies = [
        ('accounts', '0023_address_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='is_service',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='expires_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='ServiceAccount',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(max_length=200)),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10))),
                ('created_at', models.DateTimeField()),
                ('looked_at', models.DateTimeField()),
                ('asked_at', models.DateTimeField(null=True)),
                ('stopped_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='service_accounts', to='accounts.organisation')),
                ('user', models.OneToOneField(db_constraint=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='service_account', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'service account',
                'constraints': [models.CheckConstraint(condition=models.Q(('roles__contained_by', ['finance', 'manager', 'operator'])), name='serviceaccount_roles')],
            },
        ),
    ]
