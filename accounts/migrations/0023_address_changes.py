import accounts.models.keys
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):

    dependencies = [
        ('accounts', '0022_announcements'),
    ]

    operations = [
        migrations.CreateModel(
            name='AddressChange',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('old', models.EmailField(max_length=254)),
                ('new', models.EmailField(max_length=254)),
                ('reason', models.CharField(max_length=500)),
                ('state', models.CharField(choices=[('requested', 'requested'), ('taken', 'in effect'), ('withdrawn', 'withdrawn'), ('stopped', 'stopped by the old address'), ('undone', 'undone by the old address')], default='requested', max_length=10)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='address_changes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'change of a mail address',
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'requested')), fields=('user',), name='addresschange_one_open')],
            },
        ),
    ]
