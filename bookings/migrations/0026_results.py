import accounts.models.keys
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):

    dependencies = [
        ('accounts', '0016_leases'),
        ('bookings', '0025_conversation'),
        ('instruments', '0017_cards_by_what_they_ask'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HandOff',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('expected', 'expected'), ('uploading', 'uploading'), ('sealed', 'sealed'), ('released', 'ready to collect'), ('collected', 'collected'), ('expiring', 'expiring soon'), ('purged', 'deleted after retention'), ('pointed', 'kept at the host'), ('withdrawn', 'withdrawn')], default='expected', max_length=10)),
                ('due_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('manifest', models.JSONField(default=list)),
                ('manifest_digest', models.CharField(blank=True, max_length=64)),
                ('sealed_at', models.DateTimeField(null=True)),
                ('released_at', models.DateTimeField(null=True)),
                ('collected_at', models.DateTimeField(null=True)),
                ('retain_until', models.DateTimeField(null=True)),
                ('told_days', models.PositiveSmallIntegerField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('overdue_told_at', models.DateTimeField(null=True)),
                ('hold_reason', models.CharField(blank=True, max_length=500)),
                ('held_at', models.DateTimeField(null=True)),
                ('pointer_protocol', models.CharField(blank=True, max_length=20)),
                ('pointer_host', models.CharField(blank=True, max_length=253)),
                ('pointer_path', models.CharField(blank=True, max_length=1000)),
                ('pointer_checksums', models.TextField(blank=True, max_length=20000)),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('held_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('host', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('reservation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='hand_offs', to='bookings.reservation')),
                ('sealed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'hand-off',
                'indexes': [models.Index(fields=['reservation'], name='handoff_reservation'), models.Index(fields=['host', '-created_at'], name='handoff_host'), models.Index(condition=models.Q(('state__in', ['expected', 'uploading', 'sealed'])), fields=['due_at'], name='handoff_awaited'), models.Index(condition=models.Q(('state__in', ['released', 'collected', 'expiring'])), fields=['retain_until'], name='handoff_retained')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'withdrawn'), _negated=True), fields=('reservation',), name='handoff_once'), models.CheckConstraint(condition=models.Q(('state__in', ['expected', 'uploading', 'pointed', 'withdrawn']), models.Q(models.Q(('manifest_digest', ''), _negated=True), ('sealed_at__isnull', False)), _connector='OR'), name='handoff_sealed'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['released', 'collected', 'expiring']), _negated=True), models.Q(('released_at__isnull', False), ('retain_until__isnull', False)), _connector='OR'), name='handoff_released'), models.CheckConstraint(condition=models.Q(('held_at', None), models.Q(models.Q(('hold_reason', ''), _negated=True), ('held_by__isnull', False)), _connector='OR'), name='handoff_hold')],
            },
        ),
        migrations.CreateModel(
            name='HostStorage',
            fields=[
                ('organisation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='accounts.organisation')),
                ('quota', models.BigIntegerField(blank=True, null=True, verbose_name='storage for results, in bytes')),
                ('reserved', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'storage of a host',
                'constraints': [models.CheckConstraint(condition=models.Q(('reserved__gte', 0), models.Q(('quota', None), ('quota__gte', 0), _connector='OR')), name='hoststorage_positive')],
            },
        ),
        migrations.CreateModel(
            name='ResultFile',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('path', models.CharField(max_length=200)),
                ('path_key', models.CharField(max_length=600)),
                ('size', models.BigIntegerField()),
                ('received', models.BigIntegerField(default=0)),
                ('sha256_stated', models.CharField(blank=True, max_length=64)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('state', models.CharField(choices=[('uploading', 'uploading'), ('checking', 'being checked'), ('checked', 'complete'), ('differs', 'differs from its checksum')], default='uploading', max_length=10)),
                ('storage', models.CharField(max_length=120)),
                ('upload_id', models.CharField(blank=True, max_length=1024)),
                ('parts', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('hand_off', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='files', to='bookings.handoff')),
                ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'result file',
                'indexes': [models.Index(condition=models.Q(('expires_at__isnull', False)), fields=['expires_at'], name='resultfile_expires'), models.Index(condition=models.Q(('state', 'checking')), fields=['created_at'], name='resultfile_unchecked')],
                'constraints': [models.UniqueConstraint(fields=('hand_off', 'path_key'), name='resultfile_path'), models.CheckConstraint(condition=models.Q(('received__gte', 0), ('received__lte', models.F('size')), ('size__gte', 0)), name='resultfile_size'), models.CheckConstraint(condition=models.Q(models.Q(('expires_at__isnull', False), ('state', 'uploading')), models.Q(models.Q(('state', 'uploading'), _negated=True), ('expires_at', None), ('received', models.F('size'))), _connector='OR'), name='resultfile_complete'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'checked'), _negated=True), models.Q(('sha256', ''), _negated=True), _connector='OR'), name='resultfile_checked')],
            },
        ),
        migrations.CreateModel(
            name='ResultTerms',
            fields=[
                ('instrument', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='instruments.instrument')),
                ('due_days', models.PositiveSmallIntegerField()),
                ('keep_days', models.PositiveSmallIntegerField()),
                ('modes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('self', 'on your own'), ('assisted', 'with an operator'), ('entrusted', 'samples sent in'), ('remote', 'remotely')], max_length=10), default=list)),
            ],
            options={
                'verbose_name': 'terms of results',
                'constraints': [models.CheckConstraint(condition=models.Q(('due_days__range', (1, 365)), ('keep_days__range', (1, 3650))), name='resultterms_days')],
            },
        ),
    ]
