import accounts.models.keys
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):

    dependencies = [
        ('bookings', '0074_bank_files_taken_back'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HoldingPeriod',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=30)),
                ('days', models.PositiveSmallIntegerField()),
                ('valid_from', models.DateField()),
                ('reason', models.CharField(max_length=500)),
                ('entered_at', models.DateTimeField()),
                ('entered_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'holding period',
                'constraints': [models.UniqueConstraint(fields=('kind', 'valid_from'), name='holdingperiod_one_a_day'), models.CheckConstraint(condition=models.Q(('days__gte', 1), ('days__lte', 3650)), name='holdingperiod_range')],
            },
        ),
    ]
