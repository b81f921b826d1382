"""The tables as release 0.2.0 had them, in one step.

A database of 0.2.0 has all of `replaces` and only notes that this is done; `migrate` refuses an
older one (accounts/adapters/checks.py).
"""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, DateTimeRangeField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddConstraintNotValid, BtreeGistExtension, TrigramExtension
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator
from django.db import migrations, models

from accounts.models.keys import new_id

CURRENCIES = [
    'AED', 'ARS', 'AUD', 'BDT', 'BGN', 'BHD', 'BRL', 'CAD', 'CHF', 'CLP', 'CNY', 'COP', 'CZK',
    'DKK', 'EGP', 'EUR', 'GBP', 'GEL', 'HKD', 'HUF', 'IDR', 'ILS', 'INR', 'ISK', 'JOD', 'JPY',
    'KES', 'KRW', 'KWD', 'KZT', 'LKR', 'MAD', 'MOP', 'MXN', 'MYR', 'NGN', 'NOK', 'NPR', 'NZD',
    'OMR', 'PEN', 'PHP', 'PKR', 'PLN', 'PYG', 'QAR', 'RON', 'RSD', 'RUB', 'RWF', 'SAR', 'SEK',
    'SGD', 'THB', 'TND', 'TRY', 'TWD', 'UAH', 'UGX', 'USD', 'UYU', 'UZS', 'VND', 'XAF', 'XOF',
    'ZAR',
]

# Nothing new comes to an organisation that was closed.
OPEN = """
CREATE TRIGGER facility_of_open BEFORE INSERT ON instruments_facility
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER instrument_of_open BEFORE INSERT ON instruments_instrument
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER course_of_open BEFORE INSERT ON instruments_course
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER harvest_of_open BEFORE INSERT ON instruments_harvest
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER importmapping_of_open BEFORE INSERT ON instruments_importmapping
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER import_of_open BEFORE INSERT ON instruments_import
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
"""


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('instruments', '0001_initial'),
        ('instruments', '0002_time'),
        ('instruments', '0003_ratecard_drafts'),
        ('instruments', '0004_formats'),
        ('instruments', '0005_search'),
        ('instruments', '0006_publishing'),
        ('instruments', '0007_harvests'),
        ('instruments', '0008_training'),
        ('instruments', '0009_search_groups'),
        ('instruments', '0010_known_currencies'),
        ('instruments', '0011_policy_versions'),
        ('instruments', '0012_import_reading'),
        ('instruments', '0013_past_hosts'),
        ('instruments', '0014_labels_of_imports'),
    ]

    dependencies = [
        ('accounts', '0001_squashed_0015_closed_organisations'),
    ]

    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
        migrations.CreateModel(
            name='Facility',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('name_zh', models.CharField(blank=True, max_length=200)),
                ('address', models.CharField(blank=True, max_length=300)),
                ('time_zone', models.CharField(max_length=64)),
                ('contact_name', models.CharField(blank=True, max_length=120)),
                ('contact_email', models.EmailField(blank=True, max_length=254)),
                ('contact_phone', models.CharField(blank=True, max_length=60)),
                ('website', models.URLField(blank=True)),
                ('latitude', models.DecimalField(blank=True, decimal_places=5, max_digits=8, null=True)),
                ('longitude', models.DecimalField(blank=True, decimal_places=5, max_digits=8, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='facilities', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'facility',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'name'), name='facility_name_unique')],
            },
        ),
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('time_zone', models.CharField(max_length=64)),
                ('holiday_calendar', models.CharField(blank=True, max_length=20)),
                ('hours', models.JSONField()),
                ('resolved_from', models.DateField(null=True)),
                ('resolved_until', models.DateField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='OpenWindow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('span', DateTimeRangeField()),
                ('schedule', models.ForeignKey(on_delete=models.CASCADE, related_name='windows', to='instruments.schedule')),
            ],
            options={
                'indexes': [models.Index(fields=['schedule', 'span'], name='openwindow_schedule')],
            },
        ),
        migrations.CreateModel(
            name='ScheduleDay',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('date', models.DateField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('total_minutes', models.PositiveIntegerField()),
                ('open_minutes', models.PositiveIntegerField()),
                ('schedule', models.ForeignKey(on_delete=models.CASCADE, related_name='days', to='instruments.schedule')),
            ],
            options={
                'indexes': [models.Index(fields=['date', 'schedule'], name='scheduleday_date')],
                'constraints': [models.UniqueConstraint(fields=('schedule', 'date'), name='scheduleday_unique')],
            },
        ),
        migrations.CreateModel(
            name='Technique',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('scheme', models.CharField(default='PaNET', max_length=20)),
                ('code', models.CharField(max_length=60)),
                ('name', models.CharField(max_length=200)),
                ('name_zh', models.CharField(blank=True, max_length=200)),
                ('synonyms', models.JSONField(default=list)),
                ('definition', models.TextField(blank=True)),
                ('parents', models.ManyToManyField(blank=True, related_name='children', to='instruments.technique')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('code',), name='technique_code_unique')],
            },
        ),
        migrations.CreateModel(
            name='Instrument',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('identifier', models.CharField(blank=True, max_length=200)),
                ('identifier_type', models.CharField(blank=True, max_length=20)),
                ('landing_page', models.URLField(blank=True, max_length=500)),
                ('name', models.CharField(max_length=250)),
                ('name_zh', models.CharField(blank=True, max_length=250)),
                ('owners', models.JSONField(default=list)),
                ('manufacturers', models.JSONField(default=list)),
                ('model', models.CharField(blank=True, max_length=200)),
                ('model_identifier', models.CharField(blank=True, max_length=200)),
                ('description', models.TextField(blank=True)),
                ('description_zh', models.TextField(blank=True)),
                ('instrument_types', models.JSONField(default=list)),
                ('measured_variables', models.JSONField(default=list)),
                ('dates', models.JSONField(default=list)),
                ('related_identifiers', models.JSONField(default=list)),
                ('alternate_identifiers', models.JSONField(default=list)),
                ('classification_code', models.CharField(blank=True, max_length=20)),
                ('acquisition_cost', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ('acquisition_currency', models.CharField(blank=True, max_length=3)),
                ('acquisition_date', models.DateField(blank=True, null=True)),
                ('service_modes', ArrayField(base_field=models.CharField(choices=[('self', 'on your own'), ('assisted', 'with an operator'), ('entrusted', 'samples sent in'), ('remote', 'remotely')], max_length=10), default=list)),
                ('kind', models.CharField(choices=[('general', 'general-purpose'), ('dedicated', 'dedicated')], default='general', max_length=10)),
                ('norm_hours', models.PositiveIntegerField(blank=True, null=True)),
                ('room', models.CharField(blank=True, max_length=80)),
                ('publication', models.CharField(choices=[('draft', 'draft'), ('submitted', 'submitted'), ('published', 'published'), ('suspended', 'suspended'), ('retired', 'retired')], db_index=True, default='draft', max_length=10)),
                ('published_at', models.DateTimeField(blank=True, null=True)),
                ('source', models.CharField(blank=True, max_length=40)),
                ('source_key', models.CharField(blank=True, max_length=200)),
                ('source_digest', models.CharField(blank=True, max_length=64)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='instruments', to='accounts.organisation')),
                ('region', models.ForeignKey(on_delete=models.PROTECT, related_name='instruments', to='accounts.region')),
                ('facility', models.ForeignKey(on_delete=models.PROTECT, related_name='instruments', to='instruments.facility')),
                ('schedule', models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, related_name='instruments', to='instruments.schedule')),
                ('model_identifier_type', models.CharField(blank=True, max_length=40)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('photo_count', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('merged_into', models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, related_name='merged', to='instruments.instrument')),
                ('submitted_by', models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('techniques', models.ManyToManyField(blank=True, related_name='instruments', to='instruments.technique')),
            ],
            options={
                'verbose_name': 'instrument',
                'indexes': [
                    models.Index(fields=['region', 'name', 'id'], name='instrument_region'),
                    models.Index(fields=['name', 'id'], name='instrument_name'),
                    models.Index(condition=models.Q(('published_at__isnull', False)), fields=['updated_at', 'id'], name='instrument_changed'),
                    models.Index(condition=models.Q(('identifier', ''), _negated=True), fields=['identifier'], name='instrument_identifier'),
                ],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('source', ''), _negated=True), fields=('organisation', 'source', 'source_key'), name='instrument_source_unique'),
                    models.CheckConstraint(condition=models.Q(('merged_into', None), ('publication', 'retired'), _connector='OR'), name='instrument_merged_is_retired'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ScheduleAssignment',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('units', models.PositiveIntegerField(default=1)),
                ('from_date', models.DateField()),
                ('until_date', models.DateField(null=True)),
                ('instrument', models.ForeignKey(on_delete=models.CASCADE, related_name='assignments', to='instruments.instrument')),
                ('schedule', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='instruments.schedule')),
            ],
            options={
                'indexes': [models.Index(fields=['from_date', 'until_date'], name='assignment_dates')],
                'constraints': [
                    models.UniqueConstraint(fields=('instrument', 'from_date'), name='assignment_unique'),
                    models.CheckConstraint(condition=models.Q(('until_date', None), ('until_date__gt', models.F('from_date')), _connector='OR'), name='assignment_forward'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PastHost',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('from_date', models.DateField(null=True)),
                ('until_date', models.DateField()),
                ('instrument', models.ForeignKey(on_delete=models.PROTECT, related_name='past_hosts', to='instruments.instrument')),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
            ],
            options={
                'verbose_name': 'host of earlier days',
                'constraints': [
                    models.UniqueConstraint(fields=('instrument', 'until_date'), name='pasthost_once'),
                    models.CheckConstraint(condition=models.Q(('from_date', None), ('until_date__gt', models.F('from_date')), _connector='OR'), name='pasthost_forward'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('photo', 'photo'), ('document', 'document')], max_length=10)),
                ('position', models.PositiveIntegerField()),
                ('title', models.CharField(max_length=250)),
                ('title_zh', models.CharField(blank=True, max_length=250)),
                ('credit', models.CharField(blank=True, max_length=200)),
                ('licence', models.CharField(blank=True, choices=[('', 'all rights reserved'), ('CC0-1.0', 'CC0 1.0'), ('CC-BY-4.0', 'CC BY 4.0'), ('CC-BY-SA-4.0', 'CC BY-SA 4.0')], max_length=20)),
                ('media_type', models.CharField(max_length=40)),
                ('size', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('width', models.PositiveIntegerField(null=True)),
                ('height', models.PositiveIntegerField(null=True)),
                ('added_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('added_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('instrument', models.ForeignKey(on_delete=models.PROTECT, related_name='attachments', to='instruments.instrument')),
            ],
            options={
                'verbose_name': 'attachment',
                'indexes': [models.Index(fields=['instrument', 'kind', 'position'], name='attachment_order')],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'digest'), name='attachment_once_an_instrument')],
            },
        ),
        migrations.CreateModel(
            name='DuplicateVerdict',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('verdict', models.CharField(choices=[('kept', 'kept apart'), ('merged', 'merged')], max_length=10)),
                ('reasons', models.JSONField(default=list)),
                ('note', models.CharField(max_length=500)),
                ('decided_at', models.DateTimeField()),
                ('decided_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('first', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
                ('keeper', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
                ('second', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
            ],
            options={
                'verbose_name': 'verdict on likely duplicates',
                'constraints': [
                    models.UniqueConstraint(fields=('first', 'second'), name='duplicate_pair_unique'),
                    models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='duplicate_pair_in_order'),
                    models.CheckConstraint(condition=models.Q(models.Q(('keeper__isnull', False), ('verdict', 'merged')), models.Q(('keeper__isnull', True), ('verdict', 'kept')), _connector='OR'), name='duplicate_keeper_of_merged'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ImportMapping',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('content', models.JSONField()),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='import_mappings', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'mapping',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'name'), name='import_mapping_name_unique')],
            },
        ),
        migrations.CreateModel(
            name='Provenance',
            fields=[
                ('instrument', models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name='provenance', serialize=False, to='instruments.instrument')),
                ('fields', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='Harvest',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('address', models.CharField(max_length=1000)),
                ('format', models.CharField(choices=[('uniquip', 'UNIQUIP table'), ('pidinst', 'PIDINST 1.0 (JSON or XML)'), ('table', 'other table (CSV or XLSX)')], max_length=10)),
                ('encoding', models.CharField(default='utf-8', max_length=40)),
                ('mapping', models.CharField(blank=True, max_length=80)),
                ('facility', models.CharField(blank=True, max_length=200)),
                ('hand_changes', models.CharField(choices=[('keep', 'keep entries made here by hand'), ('overwrite', 'overwrite entries made here by hand')], default='keep', max_length=10)),
                ('applies', models.BooleanField(default=False)),
                ('rhythm', models.CharField(choices=[('daily', 'every day'), ('weekly', 'every week')], max_length=10)),
                ('weekday', models.PositiveSmallIntegerField(null=True)),
                ('hour', models.PositiveSmallIntegerField(validators=[MaxValueValidator(23)])),
                ('state', models.CharField(choices=[('active', 'active'), ('paused', 'paused')], default='active', max_length=10)),
                ('due_at', models.DateTimeField(null=True)),
                ('claim', models.UUIDField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('etag', models.CharField(blank=True, max_length=200)),
                ('modified', models.CharField(blank=True, max_length=200)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='harvests', to='accounts.organisation')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='harvests', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'harvest',
                'indexes': [models.Index(condition=models.Q(('state', 'active')), fields=['due_at'], name='harvest_due')],
            },
        ),
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('file_name', models.CharField(max_length=200)),
                ('size', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('format', models.CharField(choices=[('uniquip', 'UNIQUIP table'), ('pidinst', 'PIDINST 1.0 (JSON or XML)'), ('table', 'other table (CSV or XLSX)')], max_length=10)),
                ('encoding', models.CharField(default='utf-8', max_length=40)),
                ('facility', models.CharField(blank=True, max_length=200)),
                ('hand_changes', models.CharField(choices=[('keep', 'keep entries made here by hand'), ('overwrite', 'overwrite entries made here by hand')], default='keep', max_length=10)),
                ('mapping_name', models.CharField(blank=True, max_length=80)),
                ('mapping', models.JSONField(null=True)),
                ('source', models.CharField(blank=True, max_length=40)),
                ('state', models.CharField(choices=[('reading', 'being read'), ('unmapped', 'columns to be mapped'), ('ready', 'to be reviewed'), ('applying', 'running'), ('done', 'done'), ('refused', 'refused'), ('cancelled', 'cancelled')], default='reading', max_length=10)),
                ('problem', models.JSONField(default=dict)),
                ('columns', models.JSONField(default=list)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('read_bytes', models.PositiveBigIntegerField(default=0)),
                ('read_rows', models.PositiveIntegerField(default=0)),
                ('done_rows', models.PositiveIntegerField(default=0)),
                ('counts', models.JSONField(default=dict)),
                ('kept', models.PositiveIntegerField(default=0)),
                ('absent', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('applied_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='imports', to='accounts.organisation')),
                ('user', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='imports', to=settings.AUTH_USER_MODEL)),
                ('applies', models.BooleanField(default=False)),
                ('harvest_name', models.CharField(blank=True, max_length=80)),
                ('harvest', models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name='imports', to='instruments.harvest')),
                ('header_row', models.PositiveSmallIntegerField(default=1)),
                ('ignored_columns', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'import',
                'indexes': [
                    models.Index(fields=['organisation', '-created_at'], name='import_organisation'),
                    models.Index(condition=models.Q(('state__in', ('reading', 'applying'))), fields=['created_at'], name='import_at_work'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ImportChunk',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('job', models.ForeignKey(on_delete=models.CASCADE, related_name='chunks', to='instruments.import')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'position'), name='import_chunk_unique')],
            },
        ),
        migrations.CreateModel(
            name='ImportRow',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('line', models.PositiveIntegerField()),
                ('key', models.CharField(blank=True, max_length=200)),
                ('name', models.CharField(blank=True, max_length=250)),
                ('result', models.CharField(choices=[('created', 'new'), ('changed', 'changed'), ('unchanged', 'unchanged'), ('refused', 'left out')], max_length=10)),
                ('values', models.JSONField(null=True)),
                ('differences', models.JSONField(default=list)),
                ('problem', models.JSONField(default=dict)),
                ('instrument', models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name='import_rows', to='instruments.instrument')),
                ('job', models.ForeignKey(on_delete=models.CASCADE, related_name='rows', to='instruments.import')),
            ],
            options={
                'indexes': [models.Index(fields=['job', 'result', 'position'], name='import_row_result')],
                'constraints': [models.UniqueConstraint(fields=('job', 'position'), name='import_row_unique')],
            },
        ),
        migrations.CreateModel(
            name='Fetching',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('fetched', 'fetched'), ('unchanged', 'unchanged'), ('failed', 'failed')], max_length=10)),
                ('problem', models.JSONField(default=dict)),
                ('size', models.PositiveBigIntegerField(null=True)),
                ('job', models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name='fetchings', to='instruments.import')),
                ('harvest', models.ForeignKey(on_delete=models.CASCADE, related_name='fetchings', to='instruments.harvest')),
            ],
            options={
                'verbose_name': 'fetching',
                'indexes': [models.Index(fields=['harvest', '-at'], name='fetching_of_harvest')],
            },
        ),
        migrations.CreateModel(
            name='BookingPolicy',
            fields=[
                ('instrument', models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name='policy', serialize=False, to='instruments.instrument')),
                ('slot_minutes', models.PositiveIntegerField()),
                ('min_minutes', models.PositiveIntegerField()),
                ('max_minutes', models.PositiveIntegerField()),
                ('setup_minutes', models.PositiveIntegerField(default=0)),
                ('teardown_minutes', models.PositiveIntegerField(default=0)),
                ('notice_minutes', models.PositiveIntegerField(default=0)),
                ('horizon_days', models.JSONField(default=dict)),
                ('approval', models.CharField(choices=[('automatic', 'Automatic'), ('manual', 'Manual'), ('first-time', 'First Time'), ('cross-region', 'Cross Region')], default='automatic', max_length=12)),
                ('approval_minutes', models.PositiveIntegerField(default=2880)),
                ('check_in_minutes', models.PositiveIntegerField(null=True)),
                ('units', models.PositiveIntegerField(default=1)),
                ('version', models.PositiveIntegerField(default=1)),
                ('cross_region_share', models.JSONField(null=True)),
                ('offer_minutes', models.PositiveIntegerField(default=120)),
                ('qualification', models.CharField(blank=True, default='', max_length=60)),
                ('quotas', models.JSONField(default=list)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('slot_minutes__gt', 0), ('min_minutes__gt', 0), ('max_minutes__gte', models.F('min_minutes')), ('units__gt', 0)), name='policy_lengths')],
            },
        ),
        migrations.CreateModel(
            name='PolicyVersion',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('policy', models.JSONField()),
                ('valid_from', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('instrument', models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name='policy_versions', to='instruments.instrument')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('instrument', 'version'), name='policyversion_unique')],
            },
        ),
        migrations.CreateModel(
            name='Qualification',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('valid_from', models.DateField()),
                ('valid_until', models.DateField(null=True)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('granted_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('version', models.PositiveIntegerField(default=1)),
                ('granted_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('instrument', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
                ('issuer', models.ForeignKey(on_delete=models.PROTECT, related_name='qualifications', to='accounts.organisation')),
                ('revoked_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('technique', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='instruments.technique')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='qualifications', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'qualification',
                'indexes': [
                    models.Index(fields=['user', 'issuer'], name='qualification_user'),
                    models.Index(fields=['issuer', '-granted_at'], name='qualification_issuer'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('instrument__isnull', False), ('technique', None)), models.Q(('instrument', None), ('technique__isnull', False)), _connector='OR'), name='qualification_of_one_thing'),
                    models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gte', models.F('valid_from')), _connector='OR'), name='qualification_forward'),
                    models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('user', 'issuer', 'instrument', 'technique', 'valid_from', 'valid_until'), name='qualification_once', nulls_distinct=False),
                ],
            },
        ),
        migrations.CreateModel(
            name='RateCard',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('card', models.JSONField()),
                ('currency', models.CharField(max_length=3)),
                ('valid_from', models.DateField()),
                ('valid_until', models.DateField(null=True)),
                ('published_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('instrument', models.ForeignKey(on_delete=models.PROTECT, related_name='rate_cards', to='instruments.instrument')),
                ('replaced_at', models.DateTimeField(null=True)),
                ('revision', models.PositiveIntegerField(default=1)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('instrument', 'version'), name='ratecard_version_unique'),
                    models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='ratecard_forward'),
                    models.CheckConstraint(condition=models.Q(('published_at', None), ('replaced_at', None), _connector='OR'), name='ratecard_published_or_replaced'),
                    ExclusionConstraint(condition=models.Q(('published_at__isnull', False)), expressions=[('instrument', '='), (models.Func('valid_from', 'valid_until', models.Value('[)'), function='daterange', output_field=DateRangeField()), '&&')], name='ratecard_no_overlap'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SearchGroup',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('keys', ArrayField(base_field=models.TextField())),
            ],
        ),
        migrations.CreateModel(
            name='SearchEntry',
            fields=[
                ('instrument', models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name='entry', serialize=False, to='instruments.instrument')),
                ('name', models.CharField(max_length=250)),
                ('is_published', models.BooleanField()),
                ('keys', ArrayField(base_field=models.TextField(), default=list)),
                ('whole', ArrayField(base_field=models.TextField(), default=list)),
                ('length', models.PositiveSmallIntegerField()),
                ('strong', SearchVectorField()),
                ('words', SearchVectorField()),
                ('organisation', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('region', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('branch', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='instruments.searchgroup')),
                ('home', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='instruments.searchgroup')),
                ('makers', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='instruments.searchgroup')),
                ('form', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='instruments.searchgroup')),
            ],
            options={
                'indexes': [
                    GinIndex(fields=['words'], name='entry_words'),
                    GinIndex(fields=['keys'], name='entry_keys'),
                    models.Index(condition=models.Q(('is_published', True)), fields=['name', 'instrument'], name='entry_name'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SearchWord',
            fields=[
                ('word', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
            ],
            options={
                'indexes': [GinIndex(fields=['word'], name='word_trigrams', opclasses=['gin_trgm_ops'])],
            },
        ),
        migrations.CreateModel(
            name='Course',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('name_zh', models.CharField(blank=True, max_length=200)),
                ('description', models.TextField(blank=True)),
                ('description_zh', models.TextField(blank=True)),
                ('months', models.PositiveIntegerField(null=True)),
                ('places', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField()),
                ('retired_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('instrument', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='courses', to='accounts.organisation')),
                ('technique', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='instruments.technique')),
                ('prerequisites', models.ManyToManyField(related_name='leads_to', to='instruments.course')),
            ],
            options={
                'verbose_name': 'course',
                'indexes': [
                    models.Index(fields=['technique', 'organisation'], name='course_technique'),
                    models.Index(fields=['organisation', 'name'], name='course_organisation'),
                ],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('instrument__isnull', False), ('technique', None)), models.Q(('instrument', None), ('technique__isnull', False)), _connector='OR'), name='course_of_one_thing')],
            },
        ),
        migrations.CreateModel(
            name='CourseSession',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('location', models.CharField(blank=True, max_length=200)),
                ('start_at', models.DateTimeField()),
                ('end_at', models.DateTimeField()),
                ('deadline_at', models.DateTimeField()),
                ('places', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField()),
                ('cancelled_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('version', models.PositiveIntegerField(default=1)),
                ('course', models.ForeignKey(on_delete=models.PROTECT, related_name='sessions', to='instruments.course')),
                ('facility', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='instruments.facility')),
                ('trainers', models.ManyToManyField(related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'course session',
                'indexes': [models.Index(fields=['course', 'start_at'], name='course_session_start')],
                'constraints': [models.CheckConstraint(condition=models.Q(('deadline_at__lte', models.F('start_at')), ('end_at__gt', models.F('start_at'))), name='course_session_forward')],
            },
        ),
        migrations.CreateModel(
            name='Enrolment',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('waiting', 'waiting for a place'), ('enrolled', 'enrolled'), ('withdrawn', 'withdrawn'), ('passed', 'passed'), ('failed', 'not passed'), ('absent', 'did not come')], max_length=10)),
                ('asked_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('asked_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('qualification', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='enrolment', to='instruments.qualification')),
                ('session', models.ForeignKey(on_delete=models.PROTECT, related_name='enrolments', to='instruments.coursesession')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='enrolments', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'enrolment',
                'indexes': [models.Index(fields=['user', '-asked_at'], name='enrolment_user')],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('state', 'withdrawn'), _negated=True), fields=('session', 'user'), name='enrolment_once'),
                    models.CheckConstraint(condition=models.Q(('qualification', None), ('state', 'passed'), _connector='OR'), name='enrolment_certified_if_passed'),
                ],
            },
        ),
        # Rows of databases older than these rules are not checked.
        AddConstraintNotValid(
            model_name='ratecard',
            constraint=models.CheckConstraint(condition=models.Q(('currency__in', CURRENCIES)), name='ratecard_currency'),
        ),
        migrations.RunSQL(OPEN),
    ]
