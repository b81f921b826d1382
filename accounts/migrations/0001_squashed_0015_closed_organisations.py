"""The tables as release 0.2.0 had them, in one step.

A database of 0.2.0 has all of `replaces` and only notes that this is done; `migrate` refuses an
older one (accounts/adapters/checks.py).
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.functions import Lower

from accounts.models.keys import new_id

CURRENCIES = [
    'AED', 'ARS', 'AUD', 'BDT', 'BGN', 'BHD', 'BRL', 'CAD', 'CHF', 'CLP', 'CNY', 'COP', 'CZK',
    'DKK', 'EGP', 'EUR', 'GBP', 'GEL', 'HKD', 'HUF', 'IDR', 'ILS', 'INR', 'ISK', 'JOD', 'JPY',
    'KES', 'KRW', 'KWD', 'KZT', 'LKR', 'MAD', 'MOP', 'MXN', 'MYR', 'NGN', 'NOK', 'NPR', 'NZD',
    'OMR', 'PEN', 'PHP', 'PKR', 'PLN', 'PYG', 'QAR', 'RON', 'RSD', 'RUB', 'RWF', 'SAR', 'SEK',
    'SGD', 'THB', 'TND', 'TRY', 'TWD', 'UAH', 'UGX', 'USD', 'UYU', 'UZS', 'VND', 'XAF', 'XOF',
    'ZAR',
]

# The trail is append-only whoever asks. Plain SQL: no setting of ours can switch it off.
# Every entry is noted when it is written, in its own transaction: no sealing misses one that
# commits late. Seals and what they hold can only be added. Of side rows the whole can go
# (somebody is forgotten), but nothing in one changes.
TRAIL = """
CREATE FUNCTION trail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the trail is append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER trailentry_append_only BEFORE UPDATE OR DELETE ON accounts_trailentry
    FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trailentry_no_truncate BEFORE TRUNCATE ON accounts_trailentry
    FOR EACH STATEMENT EXECUTE FUNCTION trail_refuse();

CREATE FUNCTION trail_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_unsealedentry (entry_id) SELECT id FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER trailentry_unsealed AFTER INSERT ON accounts_trailentry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION trail_note();

CREATE TRIGGER seal_append_only BEFORE UPDATE OR DELETE ON accounts_seal
    FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER seal_no_truncate BEFORE TRUNCATE ON accounts_seal
    FOR EACH STATEMENT EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER sealedentry_append_only BEFORE UPDATE OR DELETE ON accounts_sealedentry
    FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER sealedentry_no_truncate BEFORE TRUNCATE ON accounts_sealedentry
    FOR EACH STATEMENT EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trailtext_no_update BEFORE UPDATE ON accounts_trailtext
    FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trailtext_no_truncate BEFORE TRUNCATE ON accounts_trailtext
    FOR EACH STATEMENT EXECUTE FUNCTION trail_refuse();
"""
# Nothing new comes to an organisation that was closed, whoever writes it. The services ask first;
# this also holds for who asked just before it was closed: closing takes the organisation's row
# FOR UPDATE, which the lock here waits for and then reads it as it became.
OPEN = """
CREATE FUNCTION organisation_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE closed timestamptz;
BEGIN
    SELECT closed_at INTO closed FROM accounts_organisation
    WHERE id = NEW.organisation_id FOR KEY SHARE;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'the organisation % is closed', NEW.organisation_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_open';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_of_open BEFORE INSERT ON accounts_membership
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER rolegrant_of_open BEFORE INSERT ON accounts_rolegrant
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER invitation_of_open BEFORE INSERT ON accounts_invitation
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
CREATE TRIGGER joinrequest_of_open BEFORE INSERT ON accounts_joinrequest
    FOR EACH ROW EXECUTE FUNCTION organisation_open();
"""


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('accounts', '0001_initial'),
        ('accounts', '0002_joining'),
        ('accounts', '0003_people'),
        ('accounts', '0004_federation'),
        ('accounts', '0005_clock'),
        ('accounts', '0006_seals'),
        ('accounts', '0007_messages'),
        ('accounts', '0008_token_second_factor'),
        ('accounts', '0009_trail_action'),
        ('accounts', '0010_invitations_a_day'),
        ('accounts', '0011_seals_to_every_auditor'),
        ('accounts', '0012_region_codes'),
        ('accounts', '0013_first_day'),
        ('accounts', '0014_bank_account_changed_at'),
        ('accounts', '0015_closed_organisations'),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail address')),
                ('name', models.CharField(blank=True, max_length=150, verbose_name='name')),
                ('language', models.CharField(choices=[('en', 'English'), ('zh-hans', '简体中文')], default='en', max_length=10, verbose_name='language')),
                ('time_zone', models.CharField(default='UTC', max_length=64, verbose_name='time zone')),
                ('is_active', models.BooleanField(default=True)),
                ('is_staff', models.BooleanField(default=False)),
                ('is_demo', models.BooleanField(default=False, help_text='Signs in only with bundled servers.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('erased_at', models.DateTimeField(editable=False, null=True)),
                ('erasure_asked_at', models.DateTimeField(editable=False, null=True)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'constraints': [models.UniqueConstraint(Lower('email'), name='user_email_unique')],
            },
        ),
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('method', models.CharField(max_length=8)),
                ('path', models.CharField(max_length=200)),
                ('key', models.CharField(max_length=100)),
                ('body_digest', models.BinaryField(max_length=32)),
                ('status', models.PositiveSmallIntegerField()),
                ('headers', models.JSONField(default=dict)),
                ('body', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=models.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='idempotency_age')],
                'constraints': [models.UniqueConstraint(fields=('user', 'method', 'path', 'key'), name='idempotency_unique')],
            },
        ),
        migrations.CreateModel(
            name='JobRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('entry', models.CharField(max_length=60)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('passed', 'Run by another worker')], default='running', max_length=10)),
                ('error', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'indexes': [models.Index(fields=['entry', '-started_at'], name='job_run_last')],
            },
        ),
        migrations.CreateModel(
            name='JobFailure',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('job', models.CharField(max_length=60)),
                ('object_id', models.UUIDField()),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('last_error', models.CharField(max_length=300)),
                ('due_at', models.DateTimeField()),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('job', 'object_id'), name='job_failure_once'),
                    models.CheckConstraint(condition=models.Q(('attempts__gte', 1)), name='job_failure_attempts'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Region',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('scheme', models.CharField(help_text='ISO 3166-2 or GB/T 2260', max_length=20)),
                ('code', models.CharField(max_length=20)),
                ('lineage', ArrayField(base_field=models.UUIDField(), default=list)),
                ('name', models.CharField(max_length=120)),
                ('name_zh', models.CharField(blank=True, max_length=120)),
                ('time_zone', models.CharField(max_length=64)),
                ('currency', models.CharField(max_length=3)),
                ('holiday_calendar', models.CharField(blank=True, help_text='Country, or country-subdivision: CN, GB-SCT, US-WA', max_length=20)),
                ('shares', models.BooleanField(default=False)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('closed_at', models.DateTimeField(editable=False, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name': 'region',
                'indexes': [GinIndex(fields=['lineage'], name='region_lineage')],
                'constraints': [models.UniqueConstraint(fields=('code',), name='region_code_once')],
            },
        ),
        migrations.CreateModel(
            name='Organisation',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.SlugField(max_length=30, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('name_zh', models.CharField(blank=True, max_length=200)),
                ('kind', models.CharField(choices=[('university', 'university'), ('institute', 'institute'), ('hospital', 'hospital'), ('government', 'government body'), ('enterprise', 'enterprise')], max_length=20)),
                ('is_small', models.BooleanField(default=False)),
                ('ror', models.CharField(blank=True, max_length=40)),
                ('region', models.ForeignKey(on_delete=models.PROTECT, related_name='organisations', to='accounts.region')),
                ('admits_by_mail', models.BooleanField(default=False)),
                ('mail_domains', ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list)),
                ('version', models.PositiveIntegerField(default=1)),
                ('admits_by_scope', models.BooleanField(default=False)),
                ('scopes', ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list)),
                ('absorbed', ArrayField(base_field=models.UUIDField(), default=list, editable=False)),
                ('address', models.CharField(blank=True, max_length=500)),
                ('bank_account', models.CharField(blank=True, max_length=200)),
                ('closed_at', models.DateTimeField(editable=False, null=True)),
                ('has_moves', models.BooleanField(default=False, editable=False)),
                ('invoice_email', models.EmailField(blank=True, max_length=254)),
                ('legal_name', models.CharField(blank=True, max_length=200)),
                ('merged_into', models.ForeignKey(editable=False, null=True, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('tax_number', models.CharField(blank=True, max_length=40)),
                ('bank_account_changed_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'organisation',
                'indexes': [GinIndex(fields=['scopes'], name='organisation_scopes')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('is_small', False), ('kind', 'enterprise'), _connector='OR'), name='organisation_small_is_enterprise'),
                    models.CheckConstraint(condition=models.Q(('merged_into', None), ('closed_at__isnull', False), _connector='OR'), name='organisation_merged_is_closed'),
                ],
            },
        ),
        migrations.CreateModel(
            name='OrganisationMove',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('starts_on', models.DateField()),
                ('decided_at', models.DateTimeField()),
                ('carried_out_at', models.DateTimeField(null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('from_region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='moves', to='accounts.organisation')),
                ('region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
            ],
            options={
                'verbose_name': 'move to another region',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('region', models.F('from_region')), _negated=True), name='organisationmove_elsewhere'),
                    models.UniqueConstraint(condition=models.Q(('withdrawn_at', None)), fields=('organisation', 'starts_on'), name='organisationmove_once_a_day'),
                    models.UniqueConstraint(condition=models.Q(('carried_out_at', None), ('withdrawn_at', None)), fields=('organisation',), name='organisationmove_one_ahead'),
                ],
            },
        ),
        migrations.CreateModel(
            name='OrganisationRequest',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('name_zh', models.CharField(blank=True, max_length=200)),
                ('kind', models.CharField(choices=[('university', 'university'), ('institute', 'institute'), ('hospital', 'hospital'), ('government', 'government body'), ('enterprise', 'enterprise')], max_length=20)),
                ('ror', models.CharField(blank=True, max_length=40)),
                ('text', models.CharField(blank=True, max_length=500)),
                ('state', models.CharField(choices=[('requested', 'requested'), ('approved', 'approved'), ('rejected', 'rejected'), ('withdrawn', 'withdrawn')], default='requested', max_length=10)),
                ('created_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('decided_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to='accounts.organisation')),
                ('region', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to='accounts.region')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='organisation_requests', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'request for an organisation',
                'indexes': [models.Index(condition=models.Q(('state', 'requested')), fields=['region', 'created_at'], name='organisationrequest_open')],
            },
        ),
        migrations.CreateModel(
            name='Installation',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('name_zh', models.CharField(blank=True, max_length=100)),
                ('logo', models.FileField(blank=True, upload_to='installation/')),
                ('languages', ArrayField(base_field=models.CharField(max_length=10), default=list)),
                ('admits_strangers', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
                ('version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name': 'installation',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='installation_one')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='memberships', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'membership',
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('user', 'organisation'), name='membership_one_active')],
            },
        ),
        migrations.CreateModel(
            name='RoleGrant',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('researcher', 'researcher'), ('manager', 'manager'), ('finance', 'finance'), ('coordinator', 'coordinator'), ('auditor', 'auditor'), ('administrator', 'administrator')], max_length=20)),
                ('granted_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('granted_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, related_name='role_grants', to='accounts.organisation')),
                ('region', models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, related_name='role_grants', to='accounts.region')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='role_grants', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'role',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('organisation__isnull', False), ('region', None), ('role__in', ['finance', 'manager', 'researcher'])), models.Q(('organisation', None), ('region__isnull', False), ('role__in', ['auditor', 'coordinator'])), models.Q(('organisation', None), ('region', None), ('role__in', ['administrator'])), _connector='OR'), name='rolegrant_scope_fits_role'),
                    models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('user', 'role', 'organisation', 'region'), name='rolegrant_once', nulls_distinct=False),
                ],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=254)),
                ('roles', ArrayField(base_field=models.CharField(max_length=20), default=list)),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('accepted_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('invited_by', models.ForeignKey(on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='invitations', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'invitation',
                'indexes': [models.Index(fields=['email', 'created_at'], name='invitation_email')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('accepted_at', None), ('withdrawn_at', None)), fields=('organisation', 'email'), name='invitation_one_open')],
            },
        ),
        migrations.CreateModel(
            name='JoinRequest',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('text', models.CharField(blank=True, max_length=500)),
                ('by_mail', models.EmailField(blank=True, max_length=254)),
                ('state', models.CharField(choices=[('requested', 'requested'), ('approved', 'approved'), ('rejected', 'rejected'), ('withdrawn', 'withdrawn')], default='requested', max_length=10)),
                ('created_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('decided_by', models.ForeignKey(null=True, on_delete=models.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=models.PROTECT, related_name='join_requests', to='accounts.organisation')),
                ('user', models.ForeignKey(on_delete=models.PROTECT, related_name='join_requests', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'request to join',
                'indexes': [models.Index(condition=models.Q(('state', 'requested')), fields=['organisation', 'created_at'], name='joinrequest_open')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'requested')), fields=('user', 'organisation'), name='joinrequest_one_open')],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('topic', models.CharField(max_length=20)),
                ('kind', models.CharField(max_length=40)),
                ('language', models.CharField(max_length=10)),
                ('subject', models.CharField(max_length=300)),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True)),
                ('calendar', models.TextField(blank=True)),
                ('link', models.CharField(blank=True, max_length=500)),
                ('about', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField()),
                ('is_in_inbox', models.BooleanField(default=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('mail', models.CharField(choices=[('at-once', 'at once'), ('daily', 'in a daily digest'), ('weekly', 'in a weekly digest'), ('off', 'not by mail')], max_length=10)),
                ('mail_due_at', models.DateTimeField(null=True)),
                ('mailed_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name='inbox', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'message',
                'indexes': [
                    models.Index(fields=['user', '-created_at', '-id'], name='message_of_user'),
                    models.Index(condition=models.Q(('is_in_inbox', True), ('read_at', None)), fields=['user'], name='message_unread'),
                    models.Index(condition=models.Q(('mail__in', ['daily', 'weekly']), ('mailed_at', None)), fields=['user', 'mail_due_at'], name='message_for_digest'),
                    models.Index(fields=['created_at'], name='message_age'),
                ],
            },
        ),
        migrations.CreateModel(
            name='MessageSettings',
            fields=[
                ('user', models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name='message_settings', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('choices', models.JSONField(default=dict)),
                ('quiet_from', models.TimeField(null=True)),
                ('quiet_until', models.TimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_until', None)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='quiet_hours_have_both_ends')],
            },
        ),
        migrations.CreateModel(
            name='OutboxMessage',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('key', models.CharField(max_length=200, unique=True)),
                ('payload', models.JSONField(default=dict)),
                ('due_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('last_error', models.TextField(blank=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, max_length=20)),
                ('lane', models.CharField(default='letters', max_length=10)),
                ('tried_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [
                    models.Index(condition=models.Q(('done_at', None)), fields=['lane', 'due_at'], name='outbox_waiting'),
                    models.Index(fields=['done_at'], name='outbox_done'),
                    models.Index(condition=models.Q(('outcome', 'failed')), fields=['kind'], name='outbox_failed'),
                ],
            },
        ),
        migrations.CreateModel(
            name='TrailEntry',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('actor_id', models.UUIDField(null=True)),
                ('action', models.CharField(max_length=60)),
                ('object_type', models.CharField(max_length=40)),
                ('object_id', models.UUIDField()),
                ('organisation_ids', ArrayField(base_field=models.UUIDField(), default=list)),
                ('region_ids', ArrayField(base_field=models.UUIDField(), default=list)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('text_digest', models.BinaryField(max_length=32, null=True)),
                ('digest', models.BinaryField(max_length=32)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['object_id', 'at'], name='trail_object'),
                    models.Index(fields=['actor_id', 'at'], name='trail_actor'),
                    models.Index(fields=['at'], name='trail_at'),
                    models.Index(fields=['action', 'at'], name='trail_action', opclasses=['varchar_pattern_ops', 'timestamptz_ops']),
                    GinIndex(fields=['region_ids'], name='trail_regions'),
                ],
            },
        ),
        migrations.CreateModel(
            name='TrailText',
            fields=[
                ('entry', models.OneToOneField(on_delete=models.PROTECT, primary_key=True, related_name='text', serialize=False, to='accounts.trailentry')),
                ('salt', models.BinaryField(max_length=16)),
                ('content', models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.PositiveIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('count', models.PositiveIntegerField()),
                ('root', models.BinaryField(max_length=32)),
                ('previous', models.BinaryField(max_length=32, null=True)),
                ('digest', models.BinaryField(max_length=32)),
                ('digests', models.BinaryField()),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('count__gte', 1), ('number__gte', 1)), name='seal_of_some'),
                    models.CheckConstraint(condition=models.Q(models.Q(('number', 1), ('previous', None)), models.Q(('number__gt', 1), ('previous__isnull', False)), _connector='OR'), name='seal_follows_one'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SealedEntry',
            fields=[
                ('entry', models.OneToOneField(db_constraint=False, on_delete=models.PROTECT, primary_key=True, related_name='sealed', serialize=False, to='accounts.trailentry')),
                ('position', models.PositiveIntegerField()),
                ('digest', models.BinaryField(max_length=32)),
                ('seal', models.ForeignKey(db_index=False, on_delete=models.PROTECT, related_name='entries', to='accounts.seal')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('seal', 'position'), name='sealedentry_place')],
            },
        ),
        migrations.CreateModel(
            name='UnsealedEntry',
            fields=[
                ('entry', models.OneToOneField(db_constraint=False, on_delete=models.PROTECT, primary_key=True, related_name='unsealed', serialize=False, to='accounts.trailentry')),
            ],
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
                ('label', models.CharField(max_length=60)),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('scopes', ArrayField(base_field=models.CharField(max_length=10))),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('last_used_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=models.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
                ('with_second_factor', models.BooleanField(default=False)),
            ],
        ),
        # Rows of databases older than these rules are not checked.
        AddConstraintNotValid(
            model_name='region',
            constraint=models.CheckConstraint(condition=models.Q(('currency__in', CURRENCIES)), name='region_currency'),
        ),
        migrations.RunSQL(TRAIL),
        migrations.RunSQL(OPEN),
    ]
