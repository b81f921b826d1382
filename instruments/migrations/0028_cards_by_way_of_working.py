from django.db import migrations, models

from accounts.models.indexes import AddIndexConcurrently


class Migration(migrations.Migration):
    """Index the cards that state their rates by way of working: the search always prices them."""

    atomic = False

    dependencies = [("instruments", "0027_blocks")]

    operations = [
        AddIndexConcurrently(
            model_name="ratecard",
            index=models.Index(
                fields=["instrument"],
                name="card_by_way",
                condition=models.Q(published_at__isnull=False, card__has_key="usage"),
            ),
        ),
    ]
