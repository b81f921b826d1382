"""Wishes name times of the day; the price of a saved search has a currency."""

from django.db import migrations, models


def name_currencies(apps, schema_editor):
    """What a bare number was compared with: the currency of the region of whoever pays, else that
    of the first region that shares."""
    region = apps.get_model("accounts", "Region").objects.order_by("-shares", "code").first()
    searches = apps.get_model("bookings", "SavedSearch").objects.select_related(
        "organisation__region"
    )
    for search in searches.filter(criteria__has_key="max_price"):
        if "currency" not in search.criteria:
            of = search.organisation.region if search.organisation else region
            search.criteria["currency"] = of.currency
            search.save(update_fields=["criteria"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_trail_action"), ("bookings", "0014_policy_versions")]

    operations = [
        migrations.AddField("waitingwish", "hours_from", models.TimeField(null=True)),
        migrations.AddField("waitingwish", "hours_until", models.TimeField(null=True)),
        migrations.RunPython(name_currencies, migrations.RunPython.noop),
    ]
