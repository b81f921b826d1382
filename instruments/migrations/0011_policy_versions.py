import accounts.models.keys
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# What each policy says today is its first version on record. It keeps its number, which programs
# know as its ETag. Who made it and when, as far as the trail tells.
CARRY_OVER = """
    INSERT INTO instruments_policyversion
        (id, instrument_id, version, policy, valid_from, made_by_id, reason)
    SELECT gen_random_uuid(), p.instrument_id, p.version,
        to_jsonb(p) - 'instrument_id' - 'version', coalesce(t.at, i.created_at), u.id, ''
    FROM instruments_bookingpolicy p
    JOIN instruments_instrument i ON i.id = p.instrument_id
    LEFT JOIN LATERAL (
        SELECT at, actor_id FROM accounts_trailentry
        WHERE object_id = p.instrument_id AND action = 'policy.set' ORDER BY at DESC LIMIT 1
    ) t ON true
    LEFT JOIN accounts_user u ON u.id = t.actor_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_trail_action'),
        ("instruments", "0010_known_currencies"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PolicyVersion',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('policy', models.JSONField()),
                ('valid_from', models.DateTimeField()),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('instrument', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='policy_versions', to='instruments.instrument')),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name='policyversion',
            constraint=models.UniqueConstraint(fields=('instrument', 'version'), name='policyversion_unique'),
        ),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
    ]
