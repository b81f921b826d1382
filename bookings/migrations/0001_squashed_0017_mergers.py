"""The tables as release 0.2.0 had them, in one step.

A database of 0.2.0 has all of `replaces` and only notes that this is done; `migrate` refuses an
older one (accounts/adapters/checks.py).
"""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddConstraintNotValid
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

# The books are append-only whoever asks, and every entry balances when the transaction commits.
# Plain SQL: no setting of ours can switch it off.
LEDGER = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON bookings_posting
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON bookings_posting
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledgerentry_append_only BEFORE UPDATE OR DELETE ON bookings_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledgerentry_no_truncate BEFORE TRUNCATE ON bookings_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER pursetransfer_append_only BEFORE UPDATE OR DELETE ON bookings_pursetransfer
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER pursetransfer_no_truncate BEFORE TRUNCATE ON bookings_pursetransfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE FUNCTION ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM bookings_posting WHERE entry_id = NEW.entry_id
        GROUP BY currency HAVING sum(amount) <> 0
    ) THEN
        RAISE EXCEPTION 'the postings of ledger entry % do not sum to zero', NEW.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balanced';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER posting_balanced AFTER INSERT ON bookings_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balanced();
"""
# What is granted from a programme never comes to more than its budget, whoever writes it. The
# service asks first, with the programme locked; this holds for everybody else. What went on to
# the grant of a merged organisation counts there, not twice.
BUDGET = """
CREATE FUNCTION grant_within_budget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE most numeric;
BEGIN
    SELECT budget INTO most FROM bookings_voucherprogramme
    WHERE id = NEW.programme_id FOR NO KEY UPDATE;
    IF (SELECT sum(amount - transferred) FROM bookings_vouchergrant
        WHERE programme_id = NEW.programme_id) > most
    THEN
        RAISE EXCEPTION 'the grants of programme % come to more than its budget', NEW.programme_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'grant_within_budget';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER grant_within_budget AFTER INSERT ON bookings_vouchergrant
    FOR EACH ROW EXECUTE FUNCTION grant_within_budget();
CREATE TRIGGER grant_still_within_budget AFTER UPDATE ON bookings_vouchergrant
    FOR EACH ROW
    WHEN (NEW.amount > OLD.amount OR NEW.programme_id <> OLD.programme_id)
    EXECUTE FUNCTION grant_within_budget();
"""
# Nothing new comes to an organisation that was closed.
OPEN = """
CREATE TRIGGER reservation_of_open BEFORE INSERT ON bookings_reservation
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER fundingsource_of_open BEFORE INSERT ON bookings_fundingsource
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER vouchergrant_of_open BEFORE INSERT ON bookings_vouchergrant
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER waitingwish_of_open BEFORE INSERT ON bookings_waitingwish
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER webhookendpoint_of_open BEFORE INSERT ON bookings_webhookendpoint
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
"""


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('bookings', '0001_initial'),
        ('bookings', '0002_time'),
        ('bookings', '0003_money'),
        ('bookings', '0004_imports'),
        ('bookings', '0005_search'),
        ('bookings', '0006_audit'),
        ('bookings', '0007_bundles'),
        ('bookings', '0008_feeds_webhooks'),
        ('bookings', '0009_hours'),
        ('bookings', '0010_no_shows'),
        ('bookings', '0011_books_compared'),
        ('bookings', '0012_cut_uses_and_second_thoughts'),
        ('bookings', '0013_money_checks'),
        ('bookings', '0014_policy_versions'),
        ('bookings', '0015_wished_hours'),
        ('bookings', '0016_payable_statements'),
        ('bookings', '0017_mergers'),
    ]

    dependencies = [
        ('accounts', '0001_squashed_0015_closed_organisations'),
        ('instruments', '0001_squashed_0014_labels_of_imports'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditException',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('rule', models.CharField(max_length=30)),
                ('rule_version', models.PositiveSmallIntegerField()),
                ('parameters', models.JSONField(default=dict)),
                ('key', models.CharField(max_length=100)),
                ('numbers', models.JSONField(default=dict)),
                ('evidence', models.JSONField(default=list)),
                ('region_ids', ArrayField(base_field=models.UUIDField(), default=list)),
                ('happened_at', models.DateTimeField()),
                ('found_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'open'), ('review', 'under review'), ('explained', 'explained'), ('confirmed', 'confirmed')], default='open', max_length=10)),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=1000)),
                ('version', models.PositiveIntegerField(default=1)),
                ('decided_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'exception',
                'indexes': [
                    models.Index(fields=['-happened_at', '-id'], name='exception_newest'),
                    models.Index(fields=['rule', '-happened_at'], name='exception_rule'),
                    GinIndex(fields=['region_ids'], name='exception_regions'),
                ],
                'constraints': [models.UniqueConstraint(fields=('rule', 'key'), name='exception_once')],
            },
        ),
        migrations.CreateModel(
            name='AuditRun',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('is_full', models.BooleanField(default=False)),
                ('looked_at', models.PositiveIntegerField(default=0)),
                ('counts', models.JSONField(default=dict)),
                ('last_entry', models.UUIDField(null=True)),
                ('started_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('compared', models.JSONField(default=dict)),
            ],
            options={
                'indexes': [models.Index(fields=['-started_at', '-id'], name='auditrun_newest')],
            },
        ),
        migrations.CreateModel(
            name='AuditSample',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(choices=[('charges', 'charges'), ('sessions', 'sessions'), ('reservations', 'reservations')], max_length=12)),
                ('method', models.CharField(choices=[('random', 'random'), ('stratified', 'stratified'), ('monetary', 'by monetary unit')], max_length=10)),
                ('since', models.DateField()),
                ('until', models.DateField()),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('seed', models.CharField(max_length=64)),
                ('size', models.PositiveIntegerField()),
                ('region_ids', ArrayField(base_field=models.UUIDField(), default=list)),
                ('population', models.BinaryField()),
                ('digest', models.BinaryField(max_length=32)),
                ('count', models.PositiveIntegerField()),
                ('drawn', models.JSONField()),
                ('made_at', models.DateTimeField()),
                ('made_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'sample',
                'indexes': [models.Index(fields=['-made_at', '-id'], name='sample_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('until__gt', models.F('since'))), name='sample_forward')],
            },
        ),
        migrations.CreateModel(
            name='AuditFinding',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('region_ids', ArrayField(base_field=models.UUIDField(), default=list)),
                ('severity', models.CharField(choices=[('low', 'low'), ('medium', 'medium'), ('high', 'high'), ('critical', 'critical')], max_length=8)),
                ('title', models.CharField(max_length=200)),
                ('text', models.TextField(max_length=5000)),
                ('state', models.CharField(choices=[('open', 'open'), ('replied', 'answered'), ('closed', 'closed')], default='open', max_length=8)),
                ('due_date', models.DateField()),
                ('raised_at', models.DateTimeField()),
                ('reply', models.TextField(blank=True, max_length=5000)),
                ('replied_at', models.DateTimeField(null=True)),
                ('note', models.TextField(blank=True, max_length=5000)),
                ('evidence', models.TextField(blank=True, max_length=5000)),
                ('closed_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('closed_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('exception', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='finding', to='bookings.auditexception')),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('raised_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('replied_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sample', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='findings', to='bookings.auditsample')),
            ],
            options={
                'verbose_name': 'finding',
                'indexes': [
                    models.Index(fields=['organisation', '-raised_at'], name='finding_party'),
                    models.Index(fields=['-raised_at', '-id'], name='finding_newest'),
                    models.Index(condition=models.Q(('state', 'closed'), _negated=True), fields=['due_date'], name='finding_due'),
                    GinIndex(fields=['region_ids'], name='finding_regions'),
                ],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('state', 'closed'), _negated=True), models.Q(('closed_at__isnull', False), models.Q(('evidence', ''), _negated=True)), _connector='OR'), name='finding_closed_with_evidence')],
            },
        ),
        migrations.CreateModel(
            name='TrailBundle',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('since', models.DateTimeField(null=True)),
                ('until', models.DateTimeField(null=True)),
                ('region_ids', ArrayField(base_field=models.UUIDField(), default=list)),
                ('region_codes', ArrayField(base_field=models.CharField(max_length=20), default=list)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('working', 'being written'), ('done', 'ready'), ('failed', 'failed')], default='waiting', max_length=7)),
                ('entries_total', models.PositiveIntegerField(default=0)),
                ('entries_done', models.PositiveIntegerField(default=0)),
                ('file', models.CharField(blank=True, max_length=200)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('worked_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=models.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'bundle of the trail',
                'indexes': [
                    models.Index(condition=models.Q(('state__in', ['waiting', 'working'])), fields=['created_at'], name='bundle_to_do'),
                    models.Index(fields=['user', '-created_at'], name='bundle_user'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Closure',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('units', ArrayField(base_field=models.IntegerField(), default=list)),
                ('kind', models.CharField(choices=[('maintenance', 'maintenance'), ('calibration', 'calibration'), ('breakdown', 'breakdown'), ('own-use', "the owner's own use"), ('training', 'training'), ('other', 'other')], max_length=12)),
                ('start_at', models.DateTimeField()),
                ('end_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('instrument', models.ForeignKey(on_delete=models.PROTECT, related_name='closures', to='instruments.instrument')),
            ],
            options={
                'verbose_name': 'closure',
                'indexes': [models.Index(fields=['instrument', 'start_at'], name='closure_instrument')],
                'constraints': [models.CheckConstraint(condition=models.Q(('end_at', None), ('end_at__gt', models.F('start_at')), _connector='OR'), name='closure_forward')],
            },
        ),
        migrations.CreateModel(
            name='BusyCalendar',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('address', models.CharField(max_length=1000)),
                ('created_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(db_index=True, null=True)),
                ('claim', models.UUIDField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.JSONField(default=dict)),
                ('etag', models.CharField(blank=True, max_length=200)),
                ('modified', models.CharField(blank=True, max_length=200)),
                ('read_at', models.DateTimeField(null=True)),
                ('known_until', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('user', models.OneToOneField(on_delete=models.CASCADE, related_name='busy_calendar', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'own calendar',
            },
        ),
        migrations.CreateModel(
            name='BusyTime',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('start_at', models.DateTimeField()),
                ('end_at', models.DateTimeField()),
                ('calendar', models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name='times', to='bookings.busycalendar')),
            ],
            options={
                'indexes': [models.Index(fields=['calendar', 'end_at'], name='busy_time_of_calendar')],
            },
        ),
        migrations.CreateModel(
            name='UnmetDemand',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('refused', 'Refused'), ('search', 'Search')], max_length=10)),
                ('query', models.CharField(blank=True, max_length=500)),
                ('minutes', models.PositiveIntegerField()),
                ('wanted_from', models.DateTimeField()),
                ('wanted_until', models.DateTimeField()),
                ('on_date', models.DateField()),
                ('created_at', models.DateTimeField()),
                ('instrument', models.ForeignKey(null=True, on_delete=models.CASCADE, related_name='+', to='instruments.instrument')),
                ('organisation', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('region', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('user', models.ForeignKey(on_delete=models.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('technique', models.ForeignKey(db_index=False, null=True, on_delete=models.SET_NULL, related_name='+', to='instruments.technique')),
            ],
            options={
                'indexes': [models.Index(fields=['on_date'], name='demand_date')],
                'constraints': [
                    models.UniqueConstraint(fields=('user', 'instrument', 'query', 'on_date'), name='demand_once_a_day', nulls_distinct=False),
                    models.CheckConstraint(condition=models.Q(models.Q(('instrument__isnull', False), ('kind', 'refused')), models.Q(('instrument', None), ('kind', 'search')), _connector='OR'), name='demand_kind'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SavedSearch',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('criteria', models.JSONField()),
                ('is_paused', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('looked_on', models.DateField()),
                ('organisation', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('user', models.ForeignKey(on_delete=models.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'saved search',
                'constraints': [models.UniqueConstraint(fields=('user', 'name'), name='saved_search_name_unique')],
            },
        ),
        migrations.CreateModel(
            name='SearchMatch',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('instrument', models.ForeignKey(on_delete=models.CASCADE, related_name='+', to='instruments.instrument')),
                ('search', models.ForeignKey(on_delete=models.CASCADE, related_name='matches', to='bookings.savedsearch')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('search', 'instrument'), name='search_match_once')],
            },
        ),
        migrations.CreateModel(
            name='Agreement',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.SlugField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('name_zh', models.CharField(blank=True, max_length=200)),
                ('valid_from', models.DateField()),
                ('valid_until', models.DateField(null=True)),
                ('discount_percent', models.DecimalField(decimal_places=3, default=0, max_digits=6)),
                ('honours_vouchers', models.BooleanField(default=False)),
                ('recognises_qualifications', models.BooleanField(default=False)),
                ('proposed_at', models.DateTimeField()),
                ('signed_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('ended_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'agreement',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gte', models.F('valid_from')), _connector='OR'), name='agreement_forward'),
                    models.CheckConstraint(condition=models.Q(('discount_percent__gte', 0), ('discount_percent__lte', 100)), name='agreement_discount'),
                ],
            },
        ),
        migrations.CreateModel(
            name='AgreementMember',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('signed_at', models.DateTimeField(null=True)),
                ('agreement', models.ForeignKey(on_delete=models.CASCADE, related_name='members', to='bookings.agreement')),
                ('region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('signed_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('region', 'agreement'), name='agreement_member_once')],
            },
        ),
        migrations.CreateModel(
            name='VoucherProgramme',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.SlugField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('name_zh', models.CharField(blank=True, max_length=200)),
                ('percent', models.DecimalField(decimal_places=3, max_digits=6)),
                ('cap_per_booking', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('currency', models.CharField(max_length=3)),
                ('budget', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('granted', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('payer_kinds', ArrayField(base_field=models.CharField(max_length=20), default=list)),
                ('is_for_small_only', models.BooleanField(default=False)),
                ('host_regions', ArrayField(base_field=models.UUIDField(), default=list)),
                ('valid_from', models.DateField()),
                ('valid_until', models.DateField(null=True)),
                ('suspended_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('region', models.ForeignKey(on_delete=models.PROTECT, related_name='programmes', to='accounts.region')),
            ],
            options={
                'verbose_name': 'voucher programme',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('percent__gt', 0), ('percent__lte', 100)), name='programme_percent'),
                    models.CheckConstraint(condition=models.Q(('granted__gte', 0), models.Q(('budget', None), ('granted__lte', models.F('budget')), _connector='OR')), name='programme_within_budget'),
                    models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='programme_forward'),
                ],
            },
        ),
        migrations.CreateModel(
            name='VoucherGrant',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.SlugField(max_length=40, unique=True)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('held', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('redeemed', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('valid_from', models.DateField()),
                ('valid_until', models.DateField()),
                ('suspended_at', models.DateTimeField(null=True)),
                ('granted_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('granted_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='grants', to='accounts.organisation')),
                ('programme', models.ForeignKey(on_delete=models.PROTECT, related_name='grants', to='bookings.voucherprogramme')),
                ('former_codes', ArrayField(base_field=models.CharField(max_length=40), default=list)),
                ('transferred', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
            ],
            options={
                'verbose_name': 'voucher grant',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('held__gte', 0), ('redeemed__gte', 0), ('transferred__gte', 0), ('amount__gte', models.F('held') + models.F('redeemed') + models.F('transferred'))), name='grant_never_below_zero'),
                    models.CheckConstraint(condition=models.Q(('valid_until__gt', models.F('valid_from'))), name='grant_forward'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('base', models.CharField(max_length=3)),
                ('quote', models.CharField(max_length=3)),
                ('rate', models.DecimalField(decimal_places=10, max_digits=20)),
                ('valid_on', models.DateField()),
                ('source', models.CharField(blank=True, max_length=200)),
                ('entered_at', models.DateTimeField()),
                ('entered_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='exchange_rates', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'exchange rate',
                'indexes': [models.Index(fields=['organisation', 'base', 'quote', '-valid_on', '-entered_at'], name='exchangerate_newest')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='exchangerate_above_zero'),
                    models.CheckConstraint(condition=models.Q(('base', models.F('quote')), _negated=True), name='exchangerate_two'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ClosedMonth',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('month', models.DateField()),
                ('closed_at', models.DateTimeField()),
                ('host', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('host', 'month'), name='closedmonth_once'),
                    models.CheckConstraint(condition=models.Q(('month__day', 1)), name='closedmonth_first_day'),
                ],
            },
        ),
        migrations.CreateModel(
            name='FundingSource',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=40)),
                ('name', models.CharField(max_length=200)),
                ('is_open', models.BooleanField(default=False)),
                ('currency', models.CharField(max_length=3)),
                ('budget', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('held', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('spent', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('valid_from', models.DateField()),
                ('valid_until', models.DateField(null=True)),
                ('suspended_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='funding_sources', to='accounts.organisation')),
                ('owner', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('transferred', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('users', models.ManyToManyField(related_name='funding_sources', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'funding source',
                'constraints': [
                    models.UniqueConstraint(fields=('organisation', 'code'), name='source_code_unique'),
                    models.CheckConstraint(condition=models.Q(('held__gte', 0)), name='source_held'),
                    models.CheckConstraint(condition=models.Q(('transferred__gte', 0)), name='source_transferred'),
                    models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gt', models.F('valid_from')), _connector='OR'), name='source_forward'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PurseTransfer',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('at', models.DateTimeField()),
                ('grant_from', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='gone', to='bookings.vouchergrant')),
                ('grant_to', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='came', to='bookings.vouchergrant')),
                ('made_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source_from', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='gone', to='bookings.fundingsource')),
                ('source_to', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='came', to='bookings.fundingsource')),
            ],
            options={
                'verbose_name': 'transfer to a merged organisation',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('amount__gte', 0), ('grant_from__isnull', False), ('grant_to__isnull', False), ('source_from', None), ('source_to', None)), models.Q(('grant_from', None), ('grant_to', None), ('source_from__isnull', False), ('source_to__isnull', False)), _connector='OR'), name='pursetransfer_one_kind')],
            },
        ),
        migrations.CreateModel(
            name='HoursExport',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('table', models.CharField(max_length=20)),
                ('format', models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'XLSX')], max_length=4)),
                ('language', models.CharField(default='en', max_length=10)),
                ('asked', models.JSONField()),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('working', 'being written'), ('done', 'ready'), ('failed', 'failed')], default='waiting', max_length=7)),
                ('rows_total', models.PositiveIntegerField(default=0)),
                ('rows_done', models.PositiveIntegerField(default=0)),
                ('file', models.CharField(blank=True, max_length=200)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('worked_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=models.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'export of hours',
                'indexes': [
                    models.Index(condition=models.Q(('state__in', ['waiting', 'working'])), fields=['created_at'], name='hoursexport_to_do'),
                    models.Index(fields=['user', '-created_at'], name='hoursexport_user'),
                ],
            },
        ),
        migrations.CreateModel(
            name='NormHours',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('scheme', models.CharField(choices=[('nrii', 'national network (NRII)'), ('survey', 'national survey')], max_length=10)),
                ('kind', models.CharField(choices=[('general', 'general-purpose'), ('dedicated', 'dedicated')], max_length=10)),
                ('hours', models.PositiveIntegerField()),
                ('valid_from', models.DateField()),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('entered_at', models.DateTimeField()),
                ('entered_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'norm hours',
                'constraints': [
                    models.UniqueConstraint(fields=('scheme', 'kind', 'valid_from'), name='norm_one_a_day'),
                    models.CheckConstraint(condition=models.Q(('hours__gte', 1), ('hours__lte', 8784)), name='norm_within_a_year'),
                ],
            },
        ),
        migrations.CreateModel(
            name='InstrumentDay',
            fields=[
                ('pk', models.CompositePrimaryKey('instrument', 'date', blank=True, editable=False, primary_key=True, serialize=False)),
                ('instrument', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, related_name='+', to='instruments.instrument')),
                ('date', models.DateField()),
                ('total_minutes', models.PositiveIntegerField()),
                ('open_minutes', models.PositiveIntegerField()),
                ('productive_minutes', models.PositiveIntegerField()),
                ('unscheduled_down_minutes', models.PositiveIntegerField()),
                ('scheduled_down_minutes', models.PositiveIntegerField()),
                ('engineering_minutes', models.PositiveIntegerField()),
                ('standby_minutes', models.PositiveIntegerField()),
                ('no_show_minutes', models.PositiveIntegerField()),
                ('non_scheduled_minutes', models.PositiveIntegerField()),
                ('breakdowns', models.PositiveIntegerField(default=0)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('total_minutes', models.F('productive_minutes') + models.F('unscheduled_down_minutes') + models.F('scheduled_down_minutes') + models.F('engineering_minutes') + models.F('standby_minutes') + models.F('non_scheduled_minutes'))), name='instrumentday_identity'),
                    models.CheckConstraint(condition=models.Q(('no_show_minutes__lte', models.F('standby_minutes'))), name='instrumentday_no_show'),
                ],
            },
        ),
        migrations.CreateModel(
            name='InstrumentDayUse',
            fields=[
                ('pk', models.CompositePrimaryKey('instrument', 'date', 'organisation', 'payer_region', 'price_group', blank=True, editable=False, primary_key=True, serialize=False)),
                ('instrument', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, related_name='+', to='instruments.instrument')),
                ('date', models.DateField()),
                ('organisation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('payer_region', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('price_group', models.CharField(max_length=10)),
                ('minutes', models.PositiveIntegerField()),
                ('sessions', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='FacilityMonth',
            fields=[
                ('pk', models.CompositePrimaryKey('facility', 'month', blank=True, editable=False, primary_key=True, serialize=False)),
                ('facility', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, related_name='+', to='instruments.facility')),
                ('month', models.DateField()),
                ('total_minutes', models.BigIntegerField()),
                ('open_minutes', models.BigIntegerField()),
                ('productive_minutes', models.BigIntegerField()),
                ('unscheduled_down_minutes', models.BigIntegerField()),
                ('scheduled_down_minutes', models.BigIntegerField()),
                ('engineering_minutes', models.BigIntegerField()),
                ('standby_minutes', models.BigIntegerField()),
                ('no_show_minutes', models.BigIntegerField()),
                ('non_scheduled_minutes', models.BigIntegerField()),
                ('breakdowns', models.PositiveIntegerField()),
                ('other_organisations_minutes', models.BigIntegerField()),
                ('other_regions_minutes', models.BigIntegerField()),
                ('sessions', models.PositiveIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['month'], name='facilitymonth_month')],
                'constraints': [models.CheckConstraint(condition=models.Q(('total_minutes', models.F('productive_minutes') + models.F('unscheduled_down_minutes') + models.F('scheduled_down_minutes') + models.F('engineering_minutes') + models.F('standby_minutes') + models.F('non_scheduled_minutes'))), name='facilitymonth_identity')],
            },
        ),
        migrations.CreateModel(
            name='FacilityYear',
            fields=[
                ('pk', models.CompositePrimaryKey('facility', 'year', 'norm', blank=True, editable=False, primary_key=True, serialize=False)),
                ('facility', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, related_name='+', to='instruments.facility')),
                ('year', models.PositiveSmallIntegerField()),
                ('norm', models.CharField(max_length=10)),
                ('units', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='DirtyMonths',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('since', models.DateField()),
                ('until', models.DateField()),
                ('facility', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.CASCADE, related_name='+', to='instruments.facility')),
            ],
        ),
        migrations.CreateModel(
            name='DirtyDay',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('date', models.DateField()),
                ('instrument', models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name='+', to='instruments.instrument')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('instrument', 'date'), name='dirtyday_unique')],
            },
        ),
        migrations.CreateModel(
            name='RollUp',
            fields=[
                ('instrument', models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name='+', serialize=False, to='instruments.instrument')),
                ('until_date', models.DateField()),
                ('facility', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=models.CASCADE, related_name='+', to='instruments.facility')),
                ('norm', models.CharField(default='', max_length=10)),
                ('units', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('created_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('instrument', models.ForeignKey(null=True, on_delete=models.CASCADE, related_name='+', to='instruments.instrument')),
                ('user', models.ForeignKey(on_delete=models.CASCADE, related_name='calendar_feeds', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'calendar feed',
                'constraints': [models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('user', 'instrument'), name='calendar_feed_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('address', models.CharField(max_length=1000)),
                ('description', models.CharField(blank=True, max_length=200)),
                ('events', ArrayField(base_field=models.CharField(max_length=40))),
                ('state', models.CharField(choices=[('active', 'active'), ('disabled', 'disabled')], default='active', max_length=10)),
                ('disabled_because', models.CharField(blank=True, max_length=20)),
                ('generation', models.PositiveIntegerField(default=1)),
                ('previous_until', models.DateTimeField(null=True)),
                ('succeeded_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='webhooks', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'webhook',
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('event', models.CharField(max_length=40)),
                ('about', models.UUIDField(null=True)),
                ('cause', models.CharField(max_length=200)),
                ('body', models.TextField()),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('delivered', 'delivered'), ('failed', 'failed')], default='waiting', max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('rounds', models.PositiveSmallIntegerField(default=1)),
                ('next_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name='deliveries', to='bookings.webhookendpoint')),
            ],
            options={
                'verbose_name': 'delivery',
                'indexes': [
                    models.Index(fields=['endpoint', '-created_at'], name='webhook_delivery_of'),
                    models.Index(fields=['created_at'], name='webhook_delivery_age'),
                ],
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'cause'), name='webhook_delivery_once')],
            },
        ),
        migrations.CreateModel(
            name='WebhookAttempt',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('milliseconds', models.PositiveIntegerField()),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('problem', models.JSONField(default=dict)),
                ('answer', models.TextField(blank=True)),
                ('delivery', models.ForeignKey(on_delete=models.CASCADE, related_name='calls', to='bookings.webhookdelivery')),
            ],
            options={
                'verbose_name': 'call',
                'constraints': [models.CheckConstraint(condition=models.Q(('status__isnull', False), models.Q(('problem', {}), _negated=True), _connector='OR'), name='webhook_attempt_ends')],
            },
        ),
        migrations.CreateModel(
            name='BookingImport',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('file_name', models.CharField(max_length=200)),
                ('sha256', models.CharField(max_length=64)),
                ('booked', models.PositiveIntegerField()),
                ('unchanged', models.PositiveIntegerField()),
                ('refused', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'import of bookings',
            },
        ),
        migrations.CreateModel(
            name='WaitingWish',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('service_mode', models.CharField(choices=[('self', 'on your own'), ('assisted', 'with an operator'), ('entrusted', 'samples sent in'), ('remote', 'remotely')], max_length=10)),
                ('earliest', models.DateTimeField()),
                ('latest', models.DateTimeField()),
                ('minutes', models.PositiveIntegerField()),
                ('any_equivalent', models.BooleanField(default=False)),
                ('max_price', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('instruments', ArrayField(base_field=models.UUIDField(), default=list)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('fulfilled', 'fulfilled'), ('withdrawn', 'withdrawn'), ('expired', 'expired')], default='waiting', max_length=10)),
                ('created_at', models.DateTimeField()),
                ('looked_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('instrument', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('hours_from', models.TimeField(null=True)),
                ('hours_until', models.TimeField(null=True)),
                ('regions', models.ManyToManyField(blank=True, related_name='+', to='accounts.region')),
            ],
            options={
                'verbose_name': 'waiting-list entry',
                'indexes': [
                    models.Index(condition=models.Q(('state', 'waiting')), fields=['created_at', 'id'], name='wish_order'),
                    GinIndex(condition=models.Q(('state', 'waiting')), fields=['instruments'], name='wish_instruments'),
                    models.Index(condition=models.Q(('state', 'waiting')), fields=['looked_at'], name='wish_looked_at'),
                    models.Index(fields=['user', '-created_at'], name='wish_user'),
                ],
                'constraints': [models.CheckConstraint(condition=models.Q(('latest__gt', models.F('earliest')), ('minutes__gt', 0)), name='wish_forward')],
            },
        ),
        migrations.CreateModel(
            name='Chain',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('gaps', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'chain',
            },
        ),
        migrations.CreateModel(
            name='Series',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('rule', models.CharField(max_length=300)),
                ('time_zone', models.CharField(max_length=64)),
                ('starts_at', models.DateTimeField()),
                ('minutes', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('instrument', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
                ('made_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('split_from', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='splits', to='bookings.series')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'series',
            },
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('unit', models.IntegerField(default=1)),
                ('start_at', models.DateTimeField()),
                ('end_at', models.DateTimeField()),
                ('setup_minutes', models.PositiveIntegerField(default=0)),
                ('teardown_minutes', models.PositiveIntegerField(default=0)),
                ('check_in_minutes', models.PositiveIntegerField(null=True)),
                ('state', models.CharField(choices=[('held', 'held'), ('requested', 'requested'), ('confirmed', 'confirmed'), ('in_use', 'in use'), ('completed', 'completed'), ('cancelled', 'cancelled'), ('rejected', 'rejected'), ('expired', 'expired'), ('no_show', 'not used'), ('displaced', 'displaced')], max_length=10)),
                ('service_mode', models.CharField(choices=[('self', 'on your own'), ('assisted', 'with an operator'), ('entrusted', 'samples sent in'), ('remote', 'remotely')], max_length=10)),
                ('purpose', models.CharField(choices=[('research', 'research'), ('development', 'development'), ('teaching', 'teaching'), ('other', 'other')], default='research', max_length=12)),
                ('purpose_text', models.CharField(blank=True, max_length=500)),
                ('samples', models.CharField(blank=True, max_length=500)),
                ('price_group', models.CharField(max_length=10)),
                ('requested_at', models.DateTimeField()),
                ('deadline_at', models.DateTimeField(null=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('is_ended_by_host', models.BooleanField(default=False)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('version', models.PositiveIntegerField(default=1)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('host', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='hosted_reservations', to='accounts.organisation')),
                ('host_region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('instrument', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='reservations', to='instruments.instrument')),
                ('made_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='reservations', to='accounts.organisation')),
                ('payer_region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('rate_card', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='reservations', to='instruments.ratecard')),
                ('user', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='reservations', to=settings.AUTH_USER_MODEL)),
                ('least_percent', models.DecimalField(decimal_places=3, default=0, max_digits=6)),
                ('occurrence_at', models.DateTimeField(null=True)),
                ('overrides', ArrayField(base_field=models.CharField(max_length=30), default=list)),
                ('shortening_fee', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('step', models.PositiveSmallIntegerField(null=True)),
                ('chain', models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='reservations', to='bookings.chain')),
                ('series', models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='reservations', to='bookings.series')),
                ('agreement', models.ForeignKey(db_index=False, null=True, on_delete=models.PROTECT, related_name='+', to='bookings.agreement')),
                ('is_second_thought', models.BooleanField(default=False)),
                ('second_thought_on', models.DateField(null=True)),
                ('policy_version', models.PositiveIntegerField(null=True)),
            ],
            options={
                'verbose_name': 'reservation',
                'indexes': [
                    models.Index(fields=['user', '-start_at'], name='reservation_user'),
                    models.Index(fields=['organisation', '-start_at'], name='reservation_payer'),
                    models.Index(fields=['host', '-start_at'], name='reservation_host'),
                    models.Index(fields=['instrument', 'start_at'], name='reservation_instrument'),
                    models.Index(condition=models.Q(('state', 'no_show')), fields=['instrument', 'start_at'], name='reservation_no_show'),
                    models.Index(condition=models.Q(('series__isnull', False)), fields=['series'], name='reservation_series'),
                    models.Index(condition=models.Q(('chain__isnull', False)), fields=['chain'], name='reservation_chain'),
                    models.Index(condition=models.Q(('state__in', ['held', 'requested'])), fields=['deadline_at'], name='reservation_deadlines'),
                    models.Index(condition=models.Q(('state__in', ['confirmed', 'in_use'])), fields=['end_at'], name='reservation_open'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('end_at__gt', models.F('start_at'))), name='reservation_forward'),
                    models.CheckConstraint(condition=models.Q(models.Q(('deadline_at__isnull', False), ('state__in', ['held', 'requested'])), models.Q(('state__in', ['held', 'requested']), _negated=True), _connector='OR'), name='reservation_waits_until'),
                    models.CheckConstraint(condition=models.Q(models.Q(('chain', None), ('step', None)), models.Q(('chain__isnull', False), ('step__gte', 1)), _connector='OR'), name='reservation_step'),
                    models.UniqueConstraint(condition=models.Q(('second_thought_on__isnull', False)), fields=('user', 'instrument', 'second_thought_on'), name='reservation_second_thought'),
                    models.UniqueConstraint(condition=models.Q(('state__in', ['held', 'requested', 'confirmed', 'in_use', 'completed'])), fields=('series', 'occurrence_at'), name='reservation_occurrence'),
                ],
            },
        ),
        migrations.CreateModel(
            name='UsageSession',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('unit', models.IntegerField(default=1)),
                ('checked_in_at', models.DateTimeField()),
                ('checked_out_at', models.DateTimeField(null=True)),
                ('is_assumed', models.BooleanField(default=False)),
                ('service_mode', models.CharField(choices=[('self', 'on your own'), ('assisted', 'with an operator'), ('entrusted', 'samples sent in'), ('remote', 'remotely')], max_length=10)),
                ('samples', models.PositiveIntegerField(null=True)),
                ('rating', models.PositiveSmallIntegerField(null=True)),
                ('remarks', models.CharField(blank=True, max_length=1000)),
                ('instrument', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
                ('reservation', models.OneToOneField(on_delete=models.PROTECT, related_name='session', to='bookings.reservation')),
                ('cut_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'usage session',
                'indexes': [
                    models.Index(fields=['instrument', 'checked_in_at'], name='session_instrument'),
                    models.Index(condition=models.Q(('checked_out_at', None)), fields=['instrument', 'unit'], name='session_open'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('checked_out_at', None), ('checked_out_at__gte', models.F('checked_in_at')), _connector='OR'), name='session_forward'),
                    models.CheckConstraint(condition=models.Q(('rating', None), ('rating__range', (1, 5)), _connector='OR'), name='session_rating'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Occupancy',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('unit', models.IntegerField(default=1)),
                ('span', DateTimeRangeField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('closure', models.ForeignKey(null=True, on_delete=models.CASCADE, related_name='occupancies', to='bookings.closure')),
                ('instrument', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='instruments.instrument')),
                ('reservation', models.OneToOneField(null=True, on_delete=models.CASCADE, related_name='occupancy', to='bookings.reservation')),
            ],
            options={
                'indexes': [models.Index(models.F('instrument'), models.Func(models.F('span'), function='lower', output_field=models.DateTimeField()), name='occupancy_starts')],
                'constraints': [
                    ExclusionConstraint(expressions=[('instrument', '='), ('unit', '='), ('span', '&&')], name='occupancy_no_overlap'),
                    models.CheckConstraint(condition=models.Q(models.Q(('closure', None), ('reservation__isnull', False)), models.Q(('closure__isnull', False), ('reservation', None)), _connector='OR'), name='occupancy_one_cause'),
                    models.CheckConstraint(condition=models.Q(('unit__gte', 1)), name='occupancy_unit'),
                    models.CheckConstraint(condition=models.Q(('span__isempty', True), _negated=True), name='occupancy_span'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Charge',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('use', 'use'), ('cancellation', 'cancellation'), ('no_show', 'not used'), ('reversal', 'reversal'), ('melting', 'used by others')], max_length=12)),
                ('inputs', models.JSONField()),
                ('result', models.JSONField()),
                ('currency', models.CharField(max_length=3)),
                ('total', models.DecimalField(decimal_places=3, max_digits=18)),
                ('payable', models.DecimalField(decimal_places=3, max_digits=18)),
                ('created_at', models.DateTimeField()),
                ('reservation', models.ForeignKey(on_delete=models.PROTECT, related_name='charges', to='bookings.reservation')),
                ('covered', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('final_at', models.DateTimeField(null=True)),
                ('host', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='hosted_charges', to='accounts.organisation')),
                ('host_region', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('month', models.DateField(null=True)),
                ('open_until', models.DateTimeField(null=True)),
                ('organisation', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='charges', to='accounts.organisation')),
                ('payer_region', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('reverses', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='reversals', to='bookings.charge')),
                ('state', models.CharField(choices=[('open', 'open'), ('disputed', 'disputed'), ('final', 'final'), ('reversed', 'reversed')], default='open', max_length=8)),
                ('tax', models.DecimalField(decimal_places=3, max_digits=18)),
                ('version', models.PositiveIntegerField(default=1)),
                ('grant', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='charges', to='bookings.vouchergrant')),
            ],
            options={
                'verbose_name': 'charge',
                'indexes': [
                    models.Index(fields=['organisation', '-created_at'], name='charge_payer'),
                    models.Index(fields=['host', 'month'], name='charge_host_month'),
                    models.Index(condition=models.Q(('state', 'open')), fields=['open_until'], name='charge_becoming_final'),
                ],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('kind__in', ['use', 'cancellation', 'no_show']), models.Q(('state', 'reversed'), _negated=True)), fields=('reservation',), name='charge_one_in_force'),
                    models.UniqueConstraint(condition=models.Q(('reverses__isnull', False)), fields=('reverses', 'kind'), name='charge_reversed_once'),
                    models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['reversal', 'melting']), ('reverses__isnull', False)), models.Q(('kind__in', ['use', 'cancellation', 'no_show']), ('reverses', None)), _connector='OR'), name='charge_reverses_one'),
                    models.CheckConstraint(condition=models.Q(models.Q(('final_at', None), ('state__in', ['open', 'disputed'])), models.Q(('final_at__isnull', False), ('state__in', ['final', 'reversed'])), _connector='OR'), name='charge_final_or_not'),
                    models.CheckConstraint(condition=models.Q(('total', models.F('covered') + models.F('payable'))), name='charge_sums'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('open', 'open'), ('upheld', 'upheld'), ('rejected', 'rejected'), ('withdrawn', 'withdrawn')], default='open', max_length=10)),
                ('reason', models.CharField(max_length=1000)),
                ('opened_at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, max_length=1000)),
                ('settled_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('charge', models.ForeignKey(on_delete=models.PROTECT, related_name='disputes', to='bookings.charge')),
                ('opened_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('settled_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'dispute',
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('charge',), name='dispute_one_open')],
            },
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('proposed', 'proposed'), ('agreed', 'agreed'), ('refused', 'refused'), ('withdrawn', 'withdrawn')], default='proposed', max_length=10)),
                ('reason', models.CharField(max_length=1000)),
                ('kind', models.CharField(blank=True, choices=[('use', 'use'), ('cancellation', 'cancellation'), ('no_show', 'not used'), ('reversal', 'reversal'), ('melting', 'used by others')], max_length=12)),
                ('inputs', models.JSONField(null=True)),
                ('result', models.JSONField(null=True)),
                ('total', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('payable', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('proposed_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('charge', models.ForeignKey(on_delete=models.PROTECT, related_name='corrections', to='bookings.charge')),
                ('decided_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('replacement', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='made_by_correction', to='bookings.charge')),
            ],
            options={
                'verbose_name': 'correction',
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('charge',), name='correction_one_open')],
            },
        ),
        migrations.CreateModel(
            name='Quote',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('is_current', models.BooleanField(default=True)),
                ('inputs', models.JSONField()),
                ('result', models.JSONField()),
                ('currency', models.CharField(max_length=3)),
                ('total', models.DecimalField(decimal_places=3, max_digits=18)),
                ('payable', models.DecimalField(decimal_places=3, max_digits=18)),
                ('created_at', models.DateTimeField()),
                ('reservation', models.ForeignKey(on_delete=models.CASCADE, related_name='quotes', to='bookings.reservation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('reservation',), name='quote_one_current')],
            },
        ),
        migrations.CreateModel(
            name='Earmark',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('percent', models.DecimalField(decimal_places=3, max_digits=6, null=True)),
                ('rate', models.DecimalField(decimal_places=10, default=1, max_digits=20)),
                ('held', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('redeemed', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('created_at', models.DateTimeField()),
                ('released_at', models.DateTimeField(null=True)),
                ('reservation', models.ForeignKey(on_delete=models.PROTECT, related_name='earmarks', to='bookings.reservation')),
                ('source', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='earmarks', to='bookings.fundingsource')),
                ('grant', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='earmarks', to='bookings.vouchergrant')),
            ],
            options={
                'verbose_name': 'earmark',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('grant__isnull', False), ('percent', None), ('source', None)), models.Q(('grant', None), ('percent__isnull', False), ('source__isnull', False)), _connector='OR'), name='earmark_one_purse'),
                    models.CheckConstraint(condition=models.Q(('held__gte', 0), ('redeemed__gte', 0)), name='earmark_not_negative'),
                    models.UniqueConstraint(condition=models.Q(('grant__isnull', False), ('released_at', None)), fields=('reservation',), name='earmark_one_grant'),
                    models.UniqueConstraint(condition=models.Q(('released_at', None), ('source__isnull', False)), fields=('reservation', 'source'), name='earmark_source_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ImportedBooking',
            fields=[
                ('reservation', models.OneToOneField(on_delete=models.PROTECT, primary_key=True, related_name='imported', serialize=False, to='bookings.reservation')),
                ('reference', models.CharField(max_length=200)),
                ('digest', models.CharField(max_length=64)),
                ('line', models.PositiveIntegerField()),
                ('organisation', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('run', models.ForeignKey(on_delete=models.PROTECT, related_name='bookings', to='bookings.bookingimport')),
            ],
            options={
                'verbose_name': 'imported booking',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'reference'), name='imported_booking_once')],
            },
        ),
        migrations.CreateModel(
            name='WaitingOffer',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('offered_at', models.DateTimeField()),
                ('reservation', models.OneToOneField(on_delete=models.PROTECT, related_name='waiting_offer', to='bookings.reservation')),
                ('wish', models.ForeignKey(on_delete=models.CASCADE, related_name='offers', to='bookings.waitingwish')),
            ],
            options={
                'verbose_name': 'offer',
            },
        ),
        migrations.CreateModel(
            name='StatementCounter',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('year', models.PositiveIntegerField()),
                ('last', models.PositiveIntegerField(default=0)),
                ('host', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('host', 'year'), name='statementcounter_once')],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('month', models.DateField()),
                ('year', models.PositiveIntegerField()),
                ('number', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('issued', 'issued'), ('part_paid', 'paid in part'), ('paid', 'paid'), ('voided', 'voided')], default='issued', max_length=10)),
                ('currency', models.CharField(max_length=3)),
                ('charges', models.PositiveIntegerField()),
                ('tax', models.DecimalField(decimal_places=3, max_digits=18)),
                ('total', models.DecimalField(decimal_places=3, max_digits=18)),
                ('covered', models.DecimalField(decimal_places=3, max_digits=18)),
                ('payable', models.DecimalField(decimal_places=3, max_digits=18)),
                ('paid', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('issued_at', models.DateTimeField()),
                ('due_date', models.DateField()),
                ('payer_currency', models.CharField(blank=True, max_length=3)),
                ('payer_payable', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('voided_at', models.DateTimeField(null=True)),
                ('void_reason', models.CharField(blank=True, max_length=500)),
                ('version', models.PositiveIntegerField(default=1)),
                ('exchange_rate', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='bookings.exchangerate')),
                ('host', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('host_region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('payer', models.ForeignKey(on_delete=models.PROTECT, related_name='statements', to='accounts.organisation')),
                ('payer_region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('replaces', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='replaced_by', to='bookings.statement')),
                ('voided_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('parties', models.JSONField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'statement',
                'indexes': [models.Index(fields=['payer', '-month'], name='statement_payer')],
                'constraints': [
                    models.UniqueConstraint(fields=('host', 'year', 'number'), name='statement_number'),
                    models.UniqueConstraint(condition=models.Q(('state', 'voided'), _negated=True), fields=('host', 'payer', 'month', 'currency'), name='statement_one_in_force'),
                    models.CheckConstraint(condition=models.Q(('total', models.F('covered') + models.F('payable'))), name='statement_sums'),
                ],
            },
        ),
        migrations.CreateModel(
            name='StatementLine',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('is_void', models.BooleanField(default=False)),
                ('charge', models.ForeignKey(on_delete=models.PROTECT, related_name='statement_lines', to='bookings.charge')),
                ('statement', models.ForeignKey(on_delete=models.PROTECT, related_name='lines', to='bookings.statement')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('is_void', False)), fields=('charge',), name='statementline_charge_once'),
                    models.UniqueConstraint(fields=('statement', 'position'), name='statementline_position'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Settlement',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('month', models.DateField()),
                ('currency', models.CharField(max_length=3)),
                ('state', models.CharField(choices=[('drawn_up', 'drawn up'), ('confirmed', 'confirmed'), ('part_paid', 'paid in part'), ('paid', 'paid')], default='drawn_up', max_length=10)),
                ('first_owes', models.DecimalField(decimal_places=3, max_digits=18)),
                ('second_owes', models.DecimalField(decimal_places=3, max_digits=18)),
                ('paid', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('drawn_up_at', models.DateTimeField()),
                ('due_date', models.DateField()),
                ('first_confirmed_at', models.DateTimeField(null=True)),
                ('second_confirmed_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('first', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('first_confirmed_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('second', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('second_confirmed_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'settlement',
                'constraints': [
                    models.UniqueConstraint(fields=('first', 'second', 'month', 'currency'), name='settlement_once'),
                    models.CheckConstraint(condition=models.Q(('first', models.F('second')), _negated=True), name='settlement_two'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SettlementLine',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('charges', models.PositiveIntegerField()),
                ('total', models.DecimalField(decimal_places=3, max_digits=18)),
                ('covered', models.DecimalField(decimal_places=3, max_digits=18)),
                ('payable', models.DecimalField(decimal_places=3, max_digits=18)),
                ('host', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('payer', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('settlement', models.ForeignKey(on_delete=models.PROTECT, related_name='lines', to='bookings.settlement')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('settlement', 'host', 'payer'), name='settlementline_once')],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('currency', models.CharField(max_length=3)),
                ('paid_on', models.DateField()),
                ('reference', models.CharField(blank=True, max_length=100)),
                ('entered_at', models.DateTimeField()),
                ('entered_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('settlement', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='payments', to='bookings.settlement')),
                ('statement', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='payments', to='bookings.statement')),
            ],
            options={
                'verbose_name': 'payment',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('settlement', None), ('statement__isnull', False)), models.Q(('settlement__isnull', False), ('statement', None)), _connector='OR'), name='payment_one_purpose'),
                    models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='payment_says_something'),
                ],
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('charge', 'charge'), ('payment', 'payment')], max_length=10)),
                ('at', models.DateTimeField()),
                ('charge', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='ledger_entry', to='bookings.charge')),
                ('payment', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='ledger_entry', to='bookings.payment')),
            ],
            options={
                'verbose_name': 'ledger entry',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('charge__isnull', False), ('kind', 'charge'), ('payment', None)), models.Q(('charge', None), ('kind', 'payment'), ('payment__isnull', False)), _connector='OR'), name='ledgerentry_one_cause')],
            },
        ),
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('account', models.CharField(choices=[('receivable', 'receivable'), ('subsidy', 'voucher claim'), ('revenue', 'revenue'), ('tax', 'tax'), ('received', 'received')], max_length=10)),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('entry', models.ForeignKey(on_delete=models.PROTECT, related_name='postings', to='bookings.ledgerentry')),
                ('host', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('host_region', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('payer', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('payer_region', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='+', to='accounts.region')),
            ],
            options={
                'verbose_name': 'posting',
                'indexes': [models.Index(condition=models.Q(('account', 'subsidy')), fields=['host_region', 'payer_region'], name='posting_between_regions')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='posting_says_something')],
            },
        ),
        migrations.CreateModel(
            name='PaymentNotice',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('currency', models.CharField(max_length=3)),
                ('paid_on', models.DateField()),
                ('reference', models.CharField(blank=True, max_length=100)),
                ('state', models.CharField(choices=[('reported', 'reported'), ('matched', 'matched'), ('refused', 'refused'), ('withdrawn', 'withdrawn')], default='reported', max_length=10)),
                ('reported_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('version', models.PositiveIntegerField(default=1)),
                ('decided_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('payment', models.OneToOneField(null=True, on_delete=models.PROTECT, related_name='notice', to='bookings.payment')),
                ('reported_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('statement', models.ForeignKey(on_delete=models.PROTECT, related_name='notices', to='bookings.statement')),
            ],
            options={
                'verbose_name': 'payment notice',
                'indexes': [models.Index(condition=models.Q(('state', 'reported')), fields=['statement'], name='paymentnotice_waiting')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='paymentnotice_above_zero'),
                    models.CheckConstraint(condition=models.Q(models.Q(('payment__isnull', False), ('state', 'matched')), models.Q(models.Q(('state', 'matched'), _negated=True), ('payment', None)), _connector='OR'), name='paymentnotice_matched_is_paid'),
                    models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'reported')), models.Q(models.Q(('state', 'reported'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='paymentnotice_decided'),
                ],
            },
        ),
        # Rows of databases older than these rules are not checked.
        AddConstraintNotValid(
            model_name='agreementmember',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('signed_at', None), ('signed_by', None)), models.Q(('signed_at__isnull', False), ('signed_by__isnull', False)), _connector='OR'), name='agreement_member_signed'),
        ),
        AddConstraintNotValid(
            model_name='voucherprogramme',
            constraint=models.CheckConstraint(condition=models.Q(('cap_per_booking', None), ('cap_per_booking__gt', 0), _connector='OR'), name='programme_cap'),
        ),
        AddConstraintNotValid(
            model_name='voucherprogramme',
            constraint=models.CheckConstraint(condition=models.Q(('currency__in', CURRENCIES)), name='programme_currency'),
        ),
        AddConstraintNotValid(
            model_name='exchangerate',
            constraint=models.CheckConstraint(condition=models.Q(('base__in', CURRENCIES), ('quote__in', CURRENCIES)), name='exchangerate_currencies'),
        ),
        AddConstraintNotValid(
            model_name='fundingsource',
            constraint=models.CheckConstraint(condition=models.Q(('budget', None), ('budget__gte', 0), _connector='OR'), name='source_budget'),
        ),
        AddConstraintNotValid(
            model_name='fundingsource',
            constraint=models.CheckConstraint(condition=models.Q(('currency__in', CURRENCIES)), name='source_currency'),
        ),
        AddConstraintNotValid(
            model_name='charge',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('final_at', None), ('month', None)), models.Q(('final_at__isnull', False), ('month__day', 1), ('month__isnull', False)), _connector='OR'), name='charge_month_when_final'),
        ),
        AddConstraintNotValid(
            model_name='correction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_by', None), ('state', 'proposed')), ('state', 'withdrawn'), models.Q(('decided_by__isnull', False), models.Q(('decided_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='correction_second_person'),
        ),
        AddConstraintNotValid(
            model_name='settlement',
            constraint=models.CheckConstraint(condition=models.Q(('first_confirmed_by', None), ('second_confirmed_by', None), models.Q(('first_confirmed_by', models.F('second_confirmed_by')), _negated=True), _connector='OR'), name='settlement_two_people'),
        ),
        AddConstraintNotValid(
            model_name='settlement',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'drawn_up'), models.Q(('first_confirmed_at__isnull', False), ('second_confirmed_at__isnull', False)), _connector='OR'), name='settlement_confirmed_by_both'),
        ),
        migrations.RunSQL(LEDGER),
        migrations.RunSQL(BUDGET),
        migrations.RunSQL(OPEN),
    ]
