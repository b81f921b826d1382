import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.models.keys
from accounts.models.steps import Stepwise


class Migration(Stepwise):
    """Announcements, and times of maintenance."""

    safe = {
        "require-concurrent-index-creation": "of tables that are new",
        "constraint-missing-not-valid": "of tables that are new",
    }

    dependencies = [
        ('accounts', '0021_accounts_of_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('information', 'Information'), ('warning', 'Warning')], max_length=20)),
                ('text', models.CharField(max_length=500)),
                ('text_zh', models.CharField(max_length=500)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('audience', models.CharField(choices=[('everyone', 'Everyone'), ('signed-in', 'Everyone signed in'), ('region', 'People of a region'), ('role', 'People with a role')], max_length=20)),
                ('role', models.CharField(blank=True, max_length=20)),
                ('entered_at', models.DateTimeField()),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('entered_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('region', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.region')),
            ],
            options={
                'verbose_name': 'announcement',
                'verbose_name_plural': 'announcements',
            },
        ),
        migrations.CreateModel(
            name='Maintenance',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=200)),
                ('reason_zh', models.CharField(max_length=200)),
                ('entered_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('announcement', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='maintenance', to='accounts.announcement')),
                ('entered_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'maintenance',
                'verbose_name_plural': 'maintenance',
            },
        ),
        migrations.AddIndex(
            model_name='announcement',
            index=models.Index(fields=['ends_at'], name='announcement_ends'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='announcement_span'),
        ),
        migrations.AddConstraint(
            model_name='announcement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('audience', 'region'), ('region__isnull', False)), models.Q(models.Q(('audience', 'region'), _negated=True), ('region__isnull', True)), _connector='OR'), name='announcement_region'),
        ),
        migrations.AddIndex(
            model_name='maintenance',
            index=models.Index(fields=['ends_at'], name='maintenance_ends'),
        ),
        migrations.AddConstraint(
            model_name='maintenance',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='maintenance_span'),
        ),
    ]
