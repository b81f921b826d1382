import django.db.models.deletion
from django.db import migrations, models

from accounts.models.steps import Stepwise


class Migration(Stepwise):
    safe = {"constraint-missing-not-valid": "places in courses are few"}

    dependencies = [("accounts", "0018_access_requests"), ("instruments", "0031_imports_at_work")]

    operations = [
        migrations.AddField(
            model_name="enrolment",
            name="organisation",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
            ),
        ),
        migrations.AddField(model_name="enrolment", name="price", field=models.JSONField(null=True)),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("organisation", None), ("price", None)),
                    models.Q(("organisation__isnull", False), ("price__isnull", False)),
                    _connector="OR",
                ),
                name="enrolment_priced_for_payer",
            ),
        ),
    ]
