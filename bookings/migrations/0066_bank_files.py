import accounts.models.keys
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise

# Changes of a payer's credit are never changed, whoever asks.
APPEND_ONLY = """
CREATE TRIGGER bankcredit_append_only BEFORE UPDATE OR DELETE ON bookings_bankcredit
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER bankcredit_no_truncate BEFORE TRUNCATE ON bookings_bankcredit
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""
BACK = """
DROP TRIGGER bankcredit_no_truncate ON bookings_bankcredit;
DROP TRIGGER bankcredit_append_only ON bookings_bankcredit;
"""


class Migration(Stepwise):
    """Files of banks, their transactions, the payments that these brought, and payers' credit."""

    dependencies = [
        ('accounts', '0020_bank_fields'),
        ('bookings', '0065_numbers_of_statements'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BankFile',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('format', models.CharField(choices=[('camt053', 'CAMT.053'), ('mt940', 'MT940'), ('csv', 'CSV')], max_length=10)),
                ('sha256', models.CharField(max_length=64)),
                ('account', models.CharField(max_length=64)),
                ('currency', models.CharField(max_length=3)),
                ('opening_balance', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('closing_balance', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('transactions_read', models.PositiveIntegerField()),
                ('known_before', models.PositiveIntegerField()),
                ('read_at', models.DateTimeField()),
                ('host', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('read_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'bank file',
            },
        ),
        migrations.CreateModel(
            name='BankMapping',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('delimiter', models.CharField(choices=[('comma', 'comma'), ('semicolon', 'semicolon'), ('tab', 'tab'), ('bar', 'vertical bar')], default='comma', max_length=10)),
                ('encoding', models.CharField(choices=[('utf-8', 'UTF-8'), ('gb18030', 'GB18030'), ('cp1252', 'Windows-1252'), ('utf-16', 'UTF-16')], default='utf-8', max_length=10)),
                ('date_format', models.CharField(default='YYYY-MM-DD', max_length=20)),
                ('is_decimal_comma', models.BooleanField(default=False)),
                ('skipped_lines', models.PositiveSmallIntegerField(default=0)),
                ('account', models.CharField(blank=True, max_length=64)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('columns', models.JSONField(default=dict)),
                ('version', models.PositiveIntegerField(default=1)),
                ('host', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'format of bank files',
            },
        ),
        migrations.CreateModel(
            name='BankTransaction',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('account', models.CharField(max_length=64)),
                ('position', models.PositiveIntegerField()),
                ('key', models.CharField(max_length=64)),
                ('booked_on', models.DateField()),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('currency', models.CharField(max_length=3)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('counter_account', models.CharField(blank=True, max_length=64)),
                ('reference', models.CharField(blank=True, max_length=200)),
                ('purpose', models.TextField(blank=True, max_length=2000)),
                ('bank_reference', models.CharField(blank=True, max_length=100)),
                ('is_return', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('to_match', 'to match'), ('part', 'matched in part'), ('matched', 'matched in full'), ('credit', 'matched, rest is credit'), ('set_aside', 'set aside')], default='to_match', max_length=10)),
                ('matched', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('credited', models.DecimalField(decimal_places=3, default=0, max_digits=18)),
                ('aside_reason', models.CharField(blank=True, max_length=500)),
                ('aside_at', models.DateTimeField(null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('aside_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transactions', to='bookings.bankfile')),
                ('host', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'bank transaction',
            },
        ),
        migrations.CreateModel(
            name='BankMatch',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(choices=[('number', 'number of the statement'), ('notice', 'payment reported by the payer'), ('amount', 'amount and payer'), ('several', 'sum of several statements'), ('by_hand', 'chosen by hand'), ('return', 'transfer returned by the bank')], max_length=10)),
                ('matched_at', models.DateTimeField()),
                ('matched_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('payment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='bank_match', to='bookings.payment')),
                ('undone_by', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undoes_bank_match', to='bookings.payment')),
                ('transaction', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='matches', to='bookings.banktransaction')),
            ],
            options={
                'verbose_name': 'match of a bank transaction',
            },
        ),
        migrations.CreateModel(
            name='BankCredit',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('currency', models.CharField(max_length=3)),
                ('position', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('kept', 'kept'), ('taken_back', 'taken back'), ('used', 'used'), ('returned', 'returned'), ('paid_out', 'paid out')], max_length=10)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('balance', models.DecimalField(decimal_places=3, max_digits=18)),
                ('entered_at', models.DateTimeField()),
                ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('host', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('payer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('payment', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bank_credit', to='bookings.payment')),
                ('transaction', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='bookings.banktransaction')),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='bookings.bankcredit')),
            ],
            options={
                'verbose_name': 'credit of a payer',
            },
        ),
        migrations.AddIndex(
            model_name='bankfile',
            index=models.Index(fields=['host', '-read_at', '-id'], name='bankfile_read'),
        ),
        migrations.AddConstraint(
            model_name='bankfile',
            constraint=models.UniqueConstraint(fields=('host', 'sha256'), name='bankfile_once'),
        ),
        migrations.AddConstraint(
            model_name='bankmapping',
            constraint=models.UniqueConstraint(fields=('host', 'name'), name='bankmapping_name'),
        ),
        migrations.AddIndex(
            model_name='banktransaction',
            index=models.Index(fields=['host', '-booked_on', '-id'], name='banktransaction_day'),
        ),
        migrations.AddIndex(
            model_name='banktransaction',
            index=models.Index(condition=models.Q(('state__in', ['to_match', 'part'])), fields=['host', '-booked_on'], name='banktransaction_open'),
        ),
        migrations.AddConstraint(
            model_name='banktransaction',
            constraint=models.UniqueConstraint(fields=('host', 'key'), name='banktransaction_once'),
        ),
        migrations.AddConstraint(
            model_name='banktransaction',
            constraint=models.UniqueConstraint(fields=('file', 'position'), name='banktransaction_position'),
        ),
        migrations.AddConstraint(
            model_name='banktransaction',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='banktransaction_not_zero'),
        ),
        migrations.AddConstraint(
            model_name='banktransaction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('credited__gte', 0), ('matched__gte', 0), ('matched__lte', django.db.models.expressions.CombinedExpression(models.F('amount'), '-', models.F('credited')))), models.Q(('amount__lt', 0), ('credited__lte', 0), ('matched__gte', django.db.models.expressions.CombinedExpression(models.F('amount'), '-', models.F('credited'))), ('matched__lte', 0)), _connector='OR'), name='banktransaction_given_once'),
        ),
        migrations.AddConstraint(
            model_name='banktransaction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('aside_at__isnull', False), ('credited', 0), ('matched', 0), ('state', 'set_aside')), models.Q(('aside_at', None), ('credited', 0), ('matched', 0), ('state', 'to_match')), models.Q(('aside_at', None), ('state', 'part'), models.Q(('matched', django.db.models.expressions.CombinedExpression(models.F('amount'), '-', models.F('credited'))), _negated=True), models.Q(('credited', 0), ('matched', 0), _negated=True)), models.Q(('aside_at', None), ('credited', 0), ('matched', models.F('amount')), ('state', 'matched')), models.Q(('aside_at', None), ('matched', django.db.models.expressions.CombinedExpression(models.F('amount'), '-', models.F('credited'))), ('state', 'credit'), models.Q(('credited', 0), _negated=True)), _connector='OR'), name='banktransaction_state'),
        ),
        migrations.AddConstraint(
            model_name='bankmatch',
            constraint=models.CheckConstraint(condition=models.Q(('payment', models.F('undone_by')), _negated=True), name='bankmatch_undone_by_another'),
        ),
        migrations.AddConstraint(
            model_name='bankcredit',
            constraint=models.UniqueConstraint(fields=('host', 'payer', 'currency', 'position'), name='bankcredit_position'),
        ),
        migrations.AddConstraint(
            model_name='bankcredit',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='bankcredit_not_zero'),
        ),
        migrations.AddConstraint(
            model_name='bankcredit',
            constraint=models.CheckConstraint(condition=models.Q(('balance__gte', 0)), name='bankcredit_not_below_zero'),
        ),
        migrations.AddConstraint(
            model_name='bankcredit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__lt', 0), ('kind', 'used'), ('payment__isnull', False), ('transaction', None)), models.Q(('amount__gt', 0), ('kind', 'returned'), ('payment__isnull', False), ('transaction', None)), models.Q(('amount__gt', 0), ('kind', 'kept'), ('payment', None), ('transaction__isnull', False)), models.Q(('amount__lt', 0), ('kind', 'paid_out'), ('payment', None), ('transaction__isnull', False)), models.Q(('kind', 'taken_back'), ('payment', None), ('transaction__isnull', False)), _connector='OR'), name='bankcredit_kind'),
        ),
        migrations.AddConstraint(
            model_name='bankcredit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'returned'), ('reverses__isnull', False)), models.Q(models.Q(('kind', 'returned'), _negated=True), ('reverses', None)), _connector='OR'), name='bankcredit_reverses'),
        ),
        migrations.RunSQL(APPEND_ONLY, BACK),
    ]
