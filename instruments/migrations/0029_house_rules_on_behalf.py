import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    dependencies = [
        ("instruments", "0028_cards_by_way_of_working"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="houserulesacceptance",
            name="means",
            field=models.CharField(
                blank=True,
                choices=[("paper", "signed on paper"), ("read_out", "read out and agreed to")],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="houserulesacceptance",
            name="recorded_by",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
