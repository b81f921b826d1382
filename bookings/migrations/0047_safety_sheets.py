import accounts.models.keys
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    # Squawk's rules that it breaks, and why it may.
    safe = {"adding-foreign-key-constraint": "no sheet is there yet: nothing to check, and nobody else writes"}

    dependencies = [
        ('bookings', '0046_sample_receiving'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SafetySheet',
            fields=[
                ('id', models.UUIDField(default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('photo', 'photo'), ('document', 'document')], max_length=10)),
                ('title', models.CharField(max_length=250)),
                ('media_type', models.CharField(max_length=40)),
                ('size', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('added_at', models.DateTimeField()),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'safety data sheet',
            },
        ),
        migrations.AddField(
            model_name='sampleitem',
            name='sheet',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='samples', to='bookings.safetysheet'),
        ),
    ]
